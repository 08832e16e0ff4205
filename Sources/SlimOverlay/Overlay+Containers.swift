internal import SlimNetlink
package import SlimRegistry
package import SlimSystem
internal import SystemPackage

extension Overlay {
    /// Connects a network namespace to the bridge: `eth0` with these addresses, default routes by way of the bridge.
    ///
    /// A container that is attached already keeps its interface; addresses that it should not have are taken away.
    /// - Throws: when an address is not this host's to give, or the namespace has an `eth0` of its own; nothing is left
    ///   behind then.
    package func attach(
        namespace: borrowing NetworkNamespace, container: String, addresses: [IPAddress]
    ) throws(OverlayError) {
        let attachment = try ContainerAttachment(container, addresses, configuration)
        try refuseOwnNamespace(namespace, container)
        let inside = try explaining("container \(container)") { () throws(NetlinkError) in
            try RouteSocket(in: namespace)
        }
        try inOrder { () throws(OverlayError) in
            guard let bridge = try existing(configuration.bridge, kind: "bridge", key: "overlay.bridge") else {
                throw OverlayError(
                    .notEstablished,
                    "container \(container): \(configuration.bridge) does not exist; establish the overlay first")
            }
            let isNew = try connect(attachment, to: bridge, inside, namespace)
            do throws(OverlayError) {
                try attachment.configure(inside, namespace, mtu: bridge.mtu)
            } catch {
                if isNew { try? routes.deleteLink(named: attachment.link.name) }
                throw error
            }
        }
    }

    /// Takes a container's interface away; one that is not attached is no error.
    package func detach(container: String) throws(OverlayError) {
        let link = ContainerLink(container: container)
        try inOrder { () throws(OverlayError) in
            guard let found = try ownLink(link) else { return }
            try explaining("container \(container)") { () throws(NetlinkError) in try routes.delete(found.index) }
        }
    }

    /// Makes the veth pair unless it is there; puts the host's end on the bridge.
    ///
    /// - Returns: whether the pair was made by this call.
    private func connect(
        _ attachment: ContainerAttachment, to bridge: Link, _ inside: RouteSocket,
        _ namespace: borrowing NetworkNamespace
    ) throws(OverlayError) -> Bool {
        let link = attachment.link
        let context = "container \(link.container)"
        let inner = try explaining(context) { () throws(NetlinkError) in
            try inside.link(named: ContainerAttachment.interface)
        }
        var outer = try ownLink(link)
        if let found = outer, found.peer != inner?.index || inner?.peer != found.index {
            // The other end is in a namespace that the container no longer is.
            try explaining(context) { () throws(NetlinkError) in try routes.delete(found.index) }
            outer = nil
        }
        let isNew = outer == nil
        guard !isNew || inner == nil else {
            throw OverlayError(
                .conflict,
                "\(context): its namespace has an interface \(ContainerAttachment.interface) already; "
                    + "detach it from its other network first")
        }
        do throws(OverlayError) {
            try explaining(context) { () throws(NetlinkError) in
                if isNew {
                    try routes.createVeth(
                        link.name, LinkChanges(mtu: bridge.mtu, master: .bridge(bridge.index)),
                        peer: ContainerAttachment.interface,
                        LinkChanges(mtu: bridge.mtu, mac: attachment.mac), in: namespace)
                }
                let wanted = LinkChanges(mtu: bridge.mtu, master: .bridge(bridge.index), alias: link.alias)
                try routes.change(try routes.index(of: link.name), wanted)
            }
            if configuration.usesIPv6 { try set("ipv6/conf/\(link.name)/addr_gen_mode", to: "1") }
            try explaining(context) { () throws(NetlinkError) in try routes.setUp(try routes.index(of: link.name)) }
        } catch {
            if isNew { try? routes.deleteLink(named: link.name) }
            throw error
        }
        return isNew
    }

    /// The host's end of a container's pair, if it exists.
    ///
    /// - Throws: when the name is taken, by a container whose name hashes alike or by something else.
    private func ownLink(_ link: ContainerLink) throws(OverlayError) -> Link? {
        let found = try explaining("container \(link.container)") { () throws(NetlinkError) in
            try routes.link(named: link.name)
        }
        // Without an alias it is one that was being made when the router died.
        guard let found, let alias = found.alias, alias != link.alias else { return found }
        throw OverlayError(
            .conflict,
            "container \(link.container): \(link.name) is taken by \"\(alias)\"; choose another container name")
    }

    private func refuseOwnNamespace(
        _ namespace: borrowing NetworkNamespace, _ container: String
    ) throws(OverlayError) {
        do throws(Errno) {
            guard try namespace.cookie() == self.namespace.cookie() else { return }
        } catch {
            throw OverlayError(.kernel, "container \(container): identify its namespace: \(error)", errno: error)
        }
        throw OverlayError(
            .conflict,
            "container \(container): its namespace is the host's own; give the container a namespace of its own")
    }
}
