package import SlimRegistry

/// A route in the main table.
package struct Route: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Sends what matches to a gateway or to the link itself.
        case unicast
        /// Answers what matches with "destination unreachable".
        case unreachable
    }

    package var destination: Subnet
    package var kind: Kind
    package var gateway: IPAddress?
    package var interface: InterfaceIndex?
    /// The source address for what this machine itself sends along the route.
    package var source: IPAddress?
    /// The gateway is on the link although no address of the interface says so.
    package var isOnLink: Bool
    /// The lower one is preferred; `nil`: the kernel's default for the family.
    package var metric: UInt32?
    /// Who made the route.
    package var origin: Origin

    package init(
        destination: Subnet, kind: Kind = .unicast, gateway: IPAddress? = nil, interface: InterfaceIndex? = nil,
        source: IPAddress? = nil, isOnLink: Bool = false, metric: UInt32? = nil, origin: Origin = .slim
    ) {
        self.destination = destination
        self.kind = kind
        self.gateway = gateway
        self.interface = interface
        self.source = source
        self.isOnLink = isOnLink
        self.metric = metric
        self.origin = origin
    }

    package var description: String { gateway.map { "\(destination) via \($0)" } ?? "\(destination)" }

    /// Who made a route, as the kernel remembers it (`rtm_protocol`, shown by `ip route` as `proto`).
    package struct Origin: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Slim's own number, which no entry of iproute2's `rt_protos` uses.
        package static let slim = Origin(rawValue: 132)
    }
}
