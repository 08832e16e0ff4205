package import SlimNetlink
package import SlimPolicy
package import SlimRegistry

/// All that must hold for the overlay's packets on one host.
package struct PacketRules: Sendable {
    /// Who may talk to whom.
    package var policy: CompiledPolicy
    /// The containers of this host.
    package var containers: [LocalContainer]
    /// The containers of the other hosts, as far as they are known: an address that is not among them is nobody's.
    package var others: [PolicyContainer]
    /// The bridge that the containers of this host are ports of.
    package var bridge: String
    /// Where VXLAN packets of other hosts come to. They are not tracked: the packets inside are.
    package var tunnel: Endpoint
    /// Whether connections are tracked before anything is denied: of one that is older nobody knows for certain who began it.
    package var tracksAlways: Bool

    package init(
        policy: CompiledPolicy, containers: [LocalContainer], others: [PolicyContainer], bridge: String,
        tunnel: Endpoint, tracksAlways: Bool = false
    ) {
        self.policy = policy
        self.containers = containers
        self.others = others
        self.bridge = bridge
        self.tunnel = tunnel
        self.tracksAlways = tracksAlways
    }
}

/// A container of this host: what the policy knows it by, and what its packets must look like.
package struct LocalContainer: Hashable, Sendable {
    package let container: PolicyContainer
    /// The bridge's port that it is behind.
    package let port: String
    package let mac: MACAddress

    package init(_ container: PolicyContainer, port: String, mac: MACAddress) {
        self.container = container
        self.port = port
        self.mac = mac
    }
}
