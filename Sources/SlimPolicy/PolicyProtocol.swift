/// What a packet or connection is carried by.
package enum PolicyProtocol: Int, CaseIterable, Hashable, Sendable {
    case tcp, udp
    /// ICMP and ICMPv6.
    case icmp
    /// Everything else, such as SCTP or GRE: only rules for any protocol speak about it.
    case other

    /// Whether its packets have ports.
    @inline(__always)
    package var hasPorts: Bool { self == .tcp || self == .udp }
}

/// Which protocols a rule speaks about.
package enum ProtocolChoice: String, CaseIterable, Hashable, Sendable {
    case tcp, udp, icmp, any

    /// - Parameter withPorts: whether the rule names ports; then nothing without ports is meant.
    package func contains(_ transport: PolicyProtocol, withPorts: Bool) -> Bool {
        switch (self, transport) {
        case (.any, _): transport.hasPorts || !withPorts
        case (.tcp, .tcp), (.udp, .udp): true
        case (.icmp, .icmp): !withPorts
        default: false
        }
    }
}
