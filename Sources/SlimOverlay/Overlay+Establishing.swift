internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

extension Overlay {
    /// Lets packets pass between bridge and tunnel.
    func enableForwarding() throws(OverlayError) {
        try set("ipv4/ip_forward", to: "1")
        guard configuration.usesIPv6 else { return }
        try keepRouterAdvertisements()
        try set("ipv6/conf/all/forwarding", to: "1")
    }

    /// A host that forwards ignores router advertisements unless told otherwise: it would lose its own default route.
    private func keepRouterAdvertisements() throws(OverlayError) {
        let links = try explaining("overlay") { () throws(NetlinkError) in try routes.links() }
        for link in links where link.name != configuration.bridge && link.name != configuration.vxlan {
            let name = "ipv6/conf/\(link.name)/"
            // An interface without IPv6, or gone by now, has nothing to keep.
            guard (try? KernelParameters.value(of: name + "forwarding", in: namespace)) == "0",
                (try? KernelParameters.value(of: name + "accept_ra", in: namespace)) == "1"
            else { continue }
            try set(name + "accept_ra", to: "2")
        }
    }

    func establishBridge(mtu: Int, made: inout [String]) throws(OverlayError) -> InterfaceIndex {
        let name = configuration.bridge
        let wanted = LinkChanges(mtu: mtu, mac: HardwareAddress.bridge(of: configuration.underlay))
        var link = try existing(name, kind: "bridge", key: "overlay.bridge")
        if link == nil {
            // Without the MTU: only one that is set afterwards stays when ports come and go.
            try explaining("overlay") { () throws(NetlinkError) in try routes.createBridge(name) }
            made.append(name)
            link = try existing(name, kind: "bridge", key: "overlay.bridge")
        }
        guard let link else {
            throw OverlayError(.conflict, "overlay.bridge: \(name) was deleted while it was set up; try again")
        }
        if link.mtu != wanted.mtu || link.mac != wanted.mac {
            try explaining(name) { () throws(NetlinkError) in try routes.change(link.index, wanted) }
        }
        if configuration.usesIPv6 { try set("ipv6/conf/\(name)/disable_ipv6", to: "0") }
        try forbidRedirects(by: name)
        if !link.isUp {
            try explaining(name) { () throws(NetlinkError) in try routes.setUp(link.index) }
        }
        return link.index
    }

    /// Containers of one host reach each other by way of the bridge's address only: nobody shall tell them otherwise.
    private func forbidRedirects(by bridge: String) throws(OverlayError) {
        // The kernel asks for both; the other interfaces keep their own setting.
        try set("ipv4/conf/all/send_redirects", to: "0")
        try set("ipv4/conf/\(bridge)/send_redirects", to: "0")
        // IPv6 sends redirects from a link-local address, for which there is no other use: neighbours are laid down.
        if configuration.usesIPv6 { try set("ipv6/conf/\(bridge)/addr_gen_mode", to: "1") }
    }

    func establishAddresses(on bridge: InterfaceIndex) throws(OverlayError) {
        let wanted = Set(
            configuration.gateways.map {
                InterfaceAddress(interface: bridge, address: $0.address, prefixLength: $0.subnet.length)
            })
        try explaining(configuration.bridge) { () throws(NetlinkError) in
            let present = Set(try routes.addresses().filter { $0.interface == bridge })
            for stale in present.subtracting(wanted) { try routes.delete(stale) }
            for missing in wanted.subtracting(present) { try routes.replace(missing) }
        }
    }

    func establishTunnel(mtu: Int, made: inout [String]) throws(OverlayError) {
        let name = configuration.vxlan
        let parameters = Link.VXLAN(
            id: configuration.vxlanID, port: configuration.vxlanPort, local: configuration.underlay)
        let wanted = LinkChanges(mtu: mtu, mac: HardwareAddress.tunnel(of: configuration.underlay))
        var link = try existing(name, kind: "vxlan", key: "overlay.vxlan")
        if let found = link, found.vxlan != parameters {
            try explaining(name) { () throws(NetlinkError) in try routes.delete(found.index) }
            link = nil
        }
        if let link {
            if link.mtu != wanted.mtu || link.mac != wanted.mac {
                try explaining(name) { () throws(NetlinkError) in try routes.change(link.index, wanted) }
            }
            if link.isUp { return }
        } else {
            try explaining("overlay", hint: tunnelHint) { () throws(NetlinkError) in
                try routes.createVXLAN(name, parameters, wanted)
            }
            made.append(name)
        }
        if configuration.usesIPv6 {
            try set("ipv6/conf/\(name)/disable_ipv6", to: "0")
            // No link-local address: there is nobody to discover, and nothing but containers' packets is counted.
            try set("ipv6/conf/\(name)/addr_gen_mode", to: "1")
        }
        try explaining(name, hint: tunnelHint) { () throws(NetlinkError) in
            try routes.setUp(try routes.index(of: name))
        }
    }

    private func tunnelHint(_ errno: Errno) -> String? {
        switch errno {
        case .fileExists:
            "another VXLAN device has VNI \(configuration.vxlanID) on UDP port \(configuration.vxlanPort): "
                + "delete it, or choose another overlay.vxlanID on all hosts"
        case .addressInUse:
            "UDP port \(configuration.vxlanPort) is in use: choose another overlay.vxlanPort on all hosts"
        case .notSupportedOnSocket, .notSupported:
            "the kernel has no VXLAN: load it with `modprobe vxlan`"
        default: nil
        }
    }

    /// What no host owns is answered with "unreachable", and does not leave by the host's default route.
    func establishPrefixes() throws(OverlayError) {
        let wanted = Set(configuration.prefixes.filter { $0.address.family == .v4 || configuration.usesIPv6 })
        try explaining("overlay.prefixes") { () throws(NetlinkError) in
            let present = try routes.routes().filter { $0.origin == .slim && $0.kind == .unreachable }
            for stale in present where !wanted.contains(stale.destination) { try routes.delete(stale) }
            for missing in wanted.subtracting(present.map(\.destination)) {
                // The highest metric: whoever routes the very prefix otherwise is right.
                try routes.replace(Route(destination: missing, kind: .unreachable, metric: .max))
            }
        }
    }

    /// The interface of a name that Slim wants to use.
    ///
    /// - Throws: when the name is taken by a device of another kind.
    func existing(_ name: String, kind: String, key: String) throws(OverlayError) -> Link? {
        try Self.existing(name, kind: kind, key: key, routes)
    }

    static func existing(
        _ name: String, kind: String, key: String, _ routes: RouteSocket
    ) throws(OverlayError) -> Link? {
        let link = try explaining(key) { () throws(NetlinkError) in try routes.link(named: name) }
        guard let link, link.kind != kind else { return link }
        throw OverlayError(
            .conflict,
            "\(key): \(name) exists and is a \(link.kind ?? "hardware") device, not a \(kind); choose another name")
    }

    func set(_ parameter: String, to value: String) throws(OverlayError) {
        try Self.set(parameter, to: value, in: namespace, "overlay")
    }

    static func set(
        _ parameter: String, to value: String, in namespace: borrowing NetworkNamespace, _ context: String
    ) throws(OverlayError) {
        do throws(Errno) { try KernelParameters.set(parameter, to: value, in: namespace) } catch {
            let isMissingIPv6 = error == .noSuchFileOrDirectory && parameter.hasPrefix("ipv6/")
            let advice =
                isMissingIPv6
                ? "this kernel runs without IPv6: remove the IPv6 subnets from overlay.subnets"
                : "set it by hand, or run with the right to write /proc/sys"
            throw OverlayError(
                .kernel, "\(context): set net/\(parameter) to \(value): \(error); \(advice)", errno: error)
        }
    }
}
