internal import SlimPacketFilter
internal import SlimPolicy
internal import SlimRegistry

/// The text that nftables is given: a table of its own that marks what containers send by the packet overlay.
///
/// Without connection tracking, which has its price: a port at either end counts as the one that is connected to.
struct TrafficRuleset {
    static let table = "slim_rates"

    /// `nil` when there is nothing to mark.
    let text: String?

    private static let families = [IPAddress.Family.v4, .v6]

    init(
        _ policy: CompiledPolicy, _ own: [(container: LocalContainer, limits: PolicyLimits)],
        _ others: [PolicyContainer], bridge: String
    ) {
        let marks = Self.marks(own)
        let treatments = Self.treatments(policy, own.map(\.container.container) + others)
        guard !(marks.rules + treatments.rules).isEmpty else {
            text = nil
            return
        }
        let table =
            marks.parts + treatments.parts
            + block(
                "chain forward",
                ["type filter hook forward priority mangle; policy accept;", "iifname != \"\(bridge)\" return"]
                    + marks.rules + treatments.rules)
            // What the tunnel sends has waited already, as the packets that are inside.
            + block(
                "chain tunnel",
                [
                    "type filter hook output priority mangle; policy accept;",
                    "meta mark and \(Self.hex(TrafficMark.wayMask)) == \(Self.hex(TrafficMark.Way.packet.rawValue)) "
                        + "meta mark set 0",
                ])
        text =
            (Self.removalLines + ["table inet \(Self.table) {"] + table + ["}"]).joined(separator: "\n") + "\n"
    }

    /// Removes the table; that it is not there is no error.
    static let removal = removalLines.joined(separator: "\n") + "\n"

    private static let removalLines = ["add table inet \(table)", "delete table inet \(table)"]

    /// Whose packets they are: of those that are limited.
    private static func marks(
        _ own: [(container: LocalContainer, limits: PolicyLimits)]
    ) -> (parts: [String], rules: [String]) {
        var parts: [String] = []
        var rules: [String] = []
        for family in families {
            let entries = own.flatMap { container, limits -> [String] in
                guard limits.egress != nil, let number = TrafficNumber(container.container.addresses) else { return [] }
                let mark = hex(TrafficMark(.packet, number).value)
                return container.container.addresses.filter { $0.family == family }.map { "\($0) : \(mark)" }
            }
            if entries.isEmpty { continue }
            parts += block("map marks\(family.rawValue)", ["type \(type(family)) : mark"] + elements(entries.sorted()))
            rules.append("meta mark set \(key(family)) saddr map @marks\(family.rawValue)")
        }
        return (parts, rules)
    }

    /// What goes first and how it is marked for the network: the entry that decides comes last, and has the last word.
    private static func treatments(
        _ policy: CompiledPolicy, _ containers: [PolicyContainer]
    ) -> (parts: [String], rules: [String]) {
        var members: [Int: Set<IPAddress>] = [:]
        for endpoint in containers.flatMap(\.endpoints) {
            for treatment in policy.identityClass(of: endpoint).treatments {
                members[treatment, default: []].insert(endpoint.address)
            }
        }
        var parts: [String] = []
        var rules: [String] = []
        for (index, treatment) in policy.treatments.enumerated().reversed() {
            guard let addresses = members[index] else { continue }
            for family in families {
                let elements = addresses.filter { $0.family == family }.sorted().map(\.description)
                if elements.isEmpty { continue }
                let name = "ends\(index)_\(family.rawValue)"
                parts += block(
                    "set \(name)", ["type \(type(family))", "elements = { \(elements.joined(separator: ", ")) }"])
                rules += ["saddr", "daddr"].map { "\(key(family)) \($0) @\(name) jump matches\(index)" }
            }
            parts += block("chain treats\(index)", settings(treatment))
            parts += block("chain matches\(index)", matches(treatment).map { $0 + "goto treats\(index)" })
        }
        return (parts, rules)
    }

    private static func matches(_ treatment: PolicyQoS) -> [String] {
        let protocols = [("tcp", PolicyProtocol.tcp), ("udp", .udp), ("icmp", .icmp), ("ipv6-icmp", .icmp)]
            .filter { treatment.protocols.contains($0.1, withPorts: !treatment.ports.isEmpty) }.map(\.0)
        let transport =
            treatment.protocols == .any && treatment.ports.isEmpty
            ? "" : "meta l4proto { \(protocols.joined(separator: ", ")) } "
        if treatment.ports.isEmpty { return [transport] }
        let ports = treatment.ports.map(\.description).joined(separator: ", ")
        return ["dport", "sport"].map { "\(transport)th \($0) { \(ports) } " }
    }

    private static func settings(_ treatment: PolicyQoS) -> [String] {
        var lines: [String] = []
        if let priority = treatment.priority {
            lines.append(
                "meta mark and \(hex(TrafficMark.wayMask)) == \(hex(TrafficMark.Way.packet.rawValue)) "
                    + "meta mark set meta mark and \(hex(~TrafficMark.priorityMask)) or \(hex(TrafficMark.bits(of: priority)))"
            )
            if let device = priority.devicePriority { lines.append("meta priority set 0:\(device)") }
        }
        if let dscp = treatment.dscp {
            lines += ["ip dscp set \(dscp.rawValue)", "ip6 dscp set \(dscp.rawValue)"]
        }
        return lines
    }

    private static func type(_ family: IPAddress.Family) -> String { family == .v4 ? "ipv4_addr" : "ipv6_addr" }
    private static func key(_ family: IPAddress.Family) -> String { family == .v4 ? "ip" : "ip6" }
    private static func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}

extension TrafficPriority {
    /// What a network device's own queue knows it by (`SO_PRIORITY`): of Linux's usual three bands the first, or the last.
    /// `nil`: the one between.
    package var devicePriority: Int32? {
        self < .normal ? 6 : self > .normal ? 2 : nil
    }
}
