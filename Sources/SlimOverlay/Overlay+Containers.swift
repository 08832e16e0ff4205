internal import SlimNetlink
package import SlimRegistry
package import SlimSystem
internal import SystemPackage

extension Overlay {
    /// Connects a network namespace to the bridge: `eth0` with these addresses, all routes by way of the bridge.
    ///
    /// The bridge passes nothing from container to container: all that a container sends goes through the host's IP
    /// stack. Where each container's addresses are is laid down, not learnt: no container can claim another's.
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
                try introduce(attachment, to: bridge)
            } catch {
                if isNew { try? remove(attachment.link, addresses) }
                throw error
            }
        }
    }

    /// Takes a container's interface away, and what the host knows about its addresses; one that is not attached is no
    /// error.
    package func detach(container: String, addresses: [IPAddress]) throws(OverlayError) {
        try inOrder { () throws(OverlayError) in try remove(ContainerLink(container: container), addresses) }
    }

    private func remove(_ link: ContainerLink, _ addresses: [IPAddress]) throws(OverlayError) {
        let found = try ownLink(link)
        let bridge = try existing(configuration.bridge, kind: "bridge", key: "overlay.bridge")
        try explaining("container \(link.container)") { () throws(NetlinkError) in
            if let bridge {
                for known in try routes.neighbours()
                where known.interface == bridge.index && addresses.contains(known.address) {
                    try routes.delete(known)
                }
            }
            if let found { try routes.delete(found.index) }
        }
    }

    /// Lays down where the container's addresses are, and forgets those that it no longer has.
    private func introduce(_ attachment: ContainerAttachment, to bridge: Link) throws(OverlayError) {
        let wanted = Set(attachment.neighbours(on: bridge.index))
        try explaining("container \(attachment.link.container)") { () throws(NetlinkError) in
            let present = Set(try routes.neighbours().filter { $0.interface == bridge.index })
            for stale in present.subtracting(wanted) where stale.mac == attachment.mac { try routes.delete(stale) }
            for missing in wanted.subtracting(present) { try routes.replace(missing) }
        }
    }

    /// Forgets all that is known to be at a link-layer address.
    private func forget(_ mac: MACAddress?, on bridge: Link) throws(NetlinkError) {
        for known in try routes.neighbours() where known.interface == bridge.index && known.mac == mac {
            try routes.delete(known)
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
        if let found = outer, found.peer != inner?.index || inner?.peer != found.index || inner?.mac != attachment.mac {
            // The other end is in a namespace that the container no longer is, or has other addresses.
            try explaining(context) { () throws(NetlinkError) in
                try routes.delete(found.index)
                try forget(inner?.mac, on: bridge)
            }
            outer = nil
        }
        let isNew = outer == nil
        let isTaken = try explaining(context) { () throws(NetlinkError) in
            try inside.link(named: ContainerAttachment.interface) != nil
        }
        guard !isNew || !isTaken else {
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
                let port = try routes.index(of: link.name)
                try routes.change(port, wanted)
                try routes.pin(attachment.mac, to: port)
                try routes.change(
                    port: port, BridgePortSettings(isIsolated: true, isLearning: false, isFlooded: false))
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
