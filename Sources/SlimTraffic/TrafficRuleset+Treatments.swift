internal import SlimPacketFilter
internal import SlimPolicy
internal import SlimRegistry

extension TrafficRuleset {
    /// What goes first and how it is marked for the network: the entry that decides comes last, and has the last word.
    static func treatments(_ policy: CompiledPolicy, _ containers: [PolicyContainer]) -> Part {
        var members: [Int: Set<IPAddress>] = [:]
        for endpoint in containers.flatMap(\.endpoints) {
            for treatment in policy.identityClass(of: endpoint).treatments {
                members[treatment, default: []].insert(endpoint.address)
            }
        }
        var part = Part()
        for (index, treatment) in policy.treatments.enumerated().reversed() {
            guard let addresses = members[index] else { continue }
            for family in families {
                let name = "ends\(index)_\(family.rawValue)"
                guard let set = set(name, addresses, family) else { continue }
                part.blocks += set
                part.rules += ["saddr", "daddr"].map { "\(key(family)) \($0) @\(name) jump matches\(index)" }
            }
            part.blocks += block("chain treats\(index)", settings(treatment))
            part.blocks += block("chain matches\(index)", matches(treatment).map { $0 + "goto treats\(index)" })
        }
        return part
    }

    /// Which packets of those ends an entry speaks about; each ends in a space.
    private static func matches(_ treatment: PolicyQoS) -> [String] {
        if treatment.protocols == .any && treatment.ports.isEmpty { return [""] }
        let protocols = [("tcp", PolicyProtocol.tcp), ("udp", .udp), ("icmp", .icmp), ("icmpv6", .icmp)]
            .filter { treatment.protocols.contains($0.1, withPorts: !treatment.ports.isEmpty) }.map(\.0)
        let transport = "meta l4proto { \(protocols.joined(separator: ", ")) } "
        if treatment.ports.isEmpty { return [transport] }
        let ports = treatment.ports.map(\.description).joined(separator: ", ")
        return ["dport", "sport"].map { "\(transport)th \($0) { \(ports) } " }
    }

    private static func settings(_ treatment: PolicyQoS) -> [String] {
        var lines: [String] = []
        if let priority = treatment.priority {
            let others = hex(~TrafficMark.priorityMask)
            lines.append("\(isMarked) meta mark set meta mark and \(others) or \(hex(TrafficMark.bits(of: priority)))")
            lines.append("meta priority set 0:\(priority.devicePriority ?? 0)")
        }
        if let dscp = treatment.dscp { lines += ["ip", "ip6"].map { "\($0) dscp set \(dscp.rawValue)" } }
        return lines
    }
}

extension TrafficPriority {
    /// What a network device's own queue knows it by (`SO_PRIORITY`): of Linux's usual three bands the first, or the last.
    /// `nil`: the one between.
    package var devicePriority: Int32? { self < .normal ? 6 : self > .normal ? 2 : nil }
}
