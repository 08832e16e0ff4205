internal import SlimNetlink
internal import SlimRegistry

/// What the kernel must know to reach peers through the tunnel.
struct PeerEntries {
    var routes: Set<Route> = []
    var neighbours: Set<Neighbour> = []
    var forwarding: Set<ForwardingEntry> = []

    init() {}

    /// Reads what is there. Routes that others made through the tunnel are not seen, so they stay.
    init(_ socket: RouteSocket, tunnel: InterfaceIndex) throws(NetlinkError) {
        let present = try socket.routes().filter { $0.interface == tunnel && $0.origin == .slim }
        routes = Set(
            present.map { route in
                // The kernel tells its default metric for IPv6, and does not tell `onlink` for it: neither is compared.
                var route = route
                route.metric = nil
                route.isOnLink = true
                return route
            })
        neighbours = Set(try socket.neighbours().filter { $0.interface == tunnel })
        forwarding = Set(try socket.forwardingEntries(of: tunnel))
    }

    /// Adds what reaches one peer: its subnets by way of its bridge's address, which is behind its tunnel's MAC.
    mutating func add(_ peer: HostRecord, tunnel: InterfaceIndex, configuration: OverlayConfiguration) {
        let mac = HardwareAddress.tunnel(of: peer.underlay)
        forwarding.insert(ForwardingEntry(interface: tunnel, mac: mac, host: peer.underlay))
        for subnet in peer.subnets {
            guard let gateway = subnet.address(at: 1) else { continue }
            let source = configuration.gateways.first { $0.address.family == gateway.family }?.address
            neighbours.insert(Neighbour(interface: tunnel, address: gateway, mac: mac))
            routes.insert(
                Route(destination: subnet, gateway: gateway, interface: tunnel, source: source, isOnLink: true))
        }
    }
}
