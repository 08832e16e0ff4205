internal import SlimPolicy
internal import SlimRegistry

/// Writes chains, one for all that is equal: for the kernel a chain is cheap, and a map of its own dear (its cost grows with
/// how many there are).
struct ChainWriter {
    private struct Key: Hashable {
        let direction: PolicyDirection
        let transport: PolicyProtocol
        let judgement: Judgement
    }

    private struct PortsKey: Hashable {
        let transport: PolicyProtocol
        let actions: PortActions
    }

    /// So many ports are compared one by one before a map is worth it.
    private static let fewPorts = 8

    private var judgements: [Key: String] = [:]
    private var ports: [PortsKey: String] = [:]

    /// What has been written.
    private(set) var lines: [String] = []

    /// What is said of a container's packets; `nil`: nothing, all is allowed.
    mutating func verdict(
        of judgement: Judgement, _ direction: PolicyDirection, _ transport: PolicyProtocol, _ family: IPAddress.Family
    ) -> String? {
        if judgement.parts.isEmpty, judgement.base.uniform == .allow { return nil }
        if judgement.parts.isEmpty { return verdict(of: judgement.base, transport) }
        let key = Key(direction: direction, transport: transport, judgement: judgement)
        if let known = judgements[key] { return known }
        let peer = "ct \(direction == .egress ? "reply" : "original") \(family == .v4 ? "ip" : "ip6") saddr"
        let parts = judgement.parts.map { part in
            let range = part.first == part.last ? "\(part.first)" : "\(part.first)-\(part.last)"
            return "\(range) : \(verdict(of: part.actions, transport))"
        }
        let name = "\(direction == .egress ? "from" : "to")\(judgements.count)"
        lines += block(
            "chain \(name)",
            ["\(peer) vmap { \(parts.joined(separator: ", ")) }", verdict(of: judgement.base, transport)])
        judgements[key] = "goto \(name)"
        return "goto \(name)"
    }

    private mutating func verdict(of actions: PortActions, _ transport: PolicyProtocol) -> String {
        if let action = actions.uniform { return Self.verdict(action) }
        let key = PortsKey(transport: transport, actions: actions)
        if let known = ports[key] { return known }
        let base = actions.base
        let exceptions = actions.parts.filter { $0.action != base }
        // libnftables 1.0.6 wants to be told that there are ports.
        let port = "meta l4proto \(transport.word) ct reply proto-src"
        let body =
            exceptions.count <= Self.fewPorts
            ? exceptions.map { "\(port) \(Self.text($0.ports)) \(Self.verdict($0.action))" }
            : [
                "\(port) vmap { "
                    + exceptions.map { "\(Self.text($0.ports)) : \(Self.verdict($0.action))" }.joined(separator: ", ")
                    + " }"
            ]
        let name = "ports\(ports.count)"
        // Protocols by nft's own words: machines without /etc/protocols know no others. Last, what tells of an error in a connection between two that may talk, at some ports at least.
        lines += block(
            "chain \(name)", body + ["meta l4proto icmp return", "meta l4proto icmpv6 return", Self.verdict(base)])
        ports[key] = "goto \(name)"
        return "goto \(name)"
    }

    private static func text(_ ports: ClosedRange<UInt16>) -> String {
        ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
    }

    /// What is allowed by one end is for the other to judge.
    private static func verdict(_ action: PolicyAction) -> String {
        switch action {
        case .allow: "return"
        case .deny(.reject): "goto refuse"
        case .deny(.drop): "drop"
        }
    }
}
