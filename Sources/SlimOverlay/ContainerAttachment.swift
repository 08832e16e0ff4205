internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem

/// What one container gets: its interface, its addresses and the gateways that go with them.
struct ContainerAttachment {
    /// The interface's name inside the container.
    static let interface = "eth0"

    let link: ContainerLink
    /// The MAC address of `eth0`.
    let mac: MACAddress
    private let addresses: [(address: IPAddress, gateway: IPAddress)]

    /// - Throws: when the name cannot be kept, or an address is not this host's to give.
    init(_ container: String, _ addresses: [IPAddress], _ configuration: OverlayConfiguration) throws(OverlayError) {
        let context = "container \(container)"
        guard (1...ContainerLink.longestName).contains(container.utf8.count) else {
            throw OverlayError(
                .address,
                "\(context): its name has \(container.utf8.count) bytes; use 1 to \(ContainerLink.longestName)")
        }
        guard let first = addresses.first else {
            throw OverlayError(.address, "\(context): no address; give it one of the host's subnets")
        }
        link = ContainerLink(container: container)
        mac = HardwareAddress.container(first)
        var plan: [(IPAddress, IPAddress)] = []
        for address in addresses {
            guard let (gateway, subnet) = configuration.gateways.first(where: { $0.subnet.contains(address) }) else {
                let own = configuration.subnets.map(\.description).joined(separator: " and ")
                throw OverlayError(
                    .address, "\(context): address \(address) is not in this host's \(own); choose one that is")
            }
            guard address != gateway, address != subnet.address else {
                throw OverlayError(
                    .address, "\(context): address \(address) is the host's own or the subnet's; choose another")
            }
            plan.append((address, gateway))
        }
        self.addresses = plan
    }

    /// The permanent neighbours by which the bridge's host reaches the container.
    func neighbours(on bridge: InterfaceIndex) -> [Neighbour] {
        addresses.map { Neighbour(interface: bridge, address: $0.address, mac: mac) }
    }

    /// Sets up the inside: loopback, addresses, routes; takes away what an earlier attachment left.
    func configure(
        _ inside: RouteSocket, _ namespace: borrowing NetworkNamespace, mtu: Int
    ) throws(OverlayError) {
        let context = "container \(link.container)"
        if addresses.contains(where: { $0.address.family == .v6 }) {
            try Overlay.set("ipv6/conf/\(Self.interface)/disable_ipv6", to: "0", in: namespace, context)
        }
        try explaining(context) { () throws(NetlinkError) in
            try inside.setUp(try inside.index(of: "lo"))
            let interface = try inside.index(of: Self.interface)
            try inside.change(interface, LinkChanges(isUp: true, mtu: mtu, mac: mac))
            try setAddresses(of: interface, inside)
            try setRoutes(by: interface, inside)
        }
    }

    /// An address without a neighbourhood: nothing is on the link but the gateway.
    private func setAddresses(of interface: InterfaceIndex, _ inside: RouteSocket) throws(NetlinkError) {
        let wanted = Set(
            addresses.map {
                InterfaceAddress(interface: interface, address: $0.address, prefixLength: $0.address.bitWidth)
            })
        let present = Set(try inside.addresses().filter { $0.interface == interface && !$0.isLinkLocal })
        let stale = present.subtracting(wanted)
        let missing = wanted.subtracting(present)
        // An IPv4 interface forgets its routes with its last address; an IPv6 address has one prefix length at a time.
        for address in missing where address.address.family == .v4 { try inside.replace(address) }
        for address in stale { try inside.delete(address) }
        for address in missing where address.address.family == .v6 { try inside.replace(address) }
    }

    /// The gateway on the link, everything else by way of it.
    private func setRoutes(by interface: InterfaceIndex, _ inside: RouteSocket) throws(NetlinkError) {
        let gateways = Set(addresses.map(\.gateway))
        let onLink = gateways.compactMap { Subnet($0, length: $0.bitWidth) }
        let present = try inside.routes().filter { $0.interface == interface && $0.origin == .slim }
        for destination in onLink where !present.contains(where: { $0.destination == destination }) {
            try inside.replace(Route(destination: destination, interface: interface))
        }
        for stale in present {
            let isWanted = stale.gateway.map(gateways.contains) ?? onLink.contains(stale.destination)
            if !isWanted { try inside.delete(stale) }
        }
        for gateway in gateways where !present.contains(where: { $0.gateway == gateway }) {
            let any: IPAddress = gateway.family == .v4 ? .anyV4 : .anyV6
            guard let everything = Subnet(any, length: 0) else { continue }
            try inside.replace(Route(destination: everything, gateway: gateway, interface: interface))
        }
    }
}
