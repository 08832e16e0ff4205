internal import SlimPacketFilter
internal import SlimPolicy
internal import SlimRegistry

/// The text that nftables is given: a table of its own that marks what containers send by the packet overlay.
///
/// Without connection tracking, which has its price: a port at either end counts as the one that is connected to.
struct TrafficRuleset {
    static let table = "slim_rates"
    /// Is in every table.
    static let chain = "forward"
    static let families = [IPAddress.Family.v4, .v6]

    /// A container of this host, and what it may send and receive.
    typealias Limited = (container: LocalContainer, limits: PolicyLimits)

    /// Sets, maps and chains, and the rules that use them.
    struct Part {
        var blocks: [String] = []
        var rules: [String] = []
    }

    /// `nil` when there is nothing to mark or to limit.
    let text: String?

    init(_ policy: CompiledPolicy, _ own: [Limited], _ others: [PolicyContainer], bridge: String) {
        let arriving = Self.flows(own, \.connectionIngress, "daddr")
        let leaving = Self.flows(own, \.connectionEgress, "saddr")
        let marks = Self.marks(own)
        let treatments = Self.treatments(policy, own.map(\.container.container) + others)
        let old = Self.older(own)
        var chains = old.blocks
        let sent = leaving.rules + marks.rules + treatments.rules
        // Whatever else there is: by it one sees whether the table is there.
        if !(chains + sent + arriving.rules).isEmpty {
            chains += block(
                "chain \(Self.chain)",
                ["type filter hook forward priority mangle; policy accept;"]
                    + arriving.rules.map { "oifname \"\(bridge)\" \($0)" }
                    + (sent.isEmpty ? [] : ["iifname != \"\(bridge)\" return"]) + sent)
        }
        guard !chains.isEmpty else {
            text = nil
            return
        }
        let lines =
            Self.removalLines + ["table inet \(Self.table) {"]
            + (arriving.blocks + leaving.blocks + marks.blocks + treatments.blocks + chains) + ["}"]
        text = lines.joined(separator: "\n") + "\n"
    }

    /// Removes the table; that it is not there is no error.
    static let removal = removalLines.joined(separator: "\n") + "\n"

    private static let removalLines = ["add table inet \(table)", "delete table inet \(table)"]

    /// Whose packets they are: of those that are limited.
    private static func marks(_ own: [Limited]) -> Part {
        var part = Part()
        for family in families {
            let entries = own.flatMap { container, limits -> [String] in
                guard limits.egress != nil, let number = TrafficNumber(container.container.addresses) else { return [] }
                let mark = hex(TrafficMark(.packet, number).value)
                return container.container.addresses.filter { $0.family == family }.map { "\($0) : \(mark)" }
            }
            if entries.isEmpty { continue }
            let name = "marks\(family.rawValue)"
            part.blocks += block("map \(name)", ["type \(type(family)) : mark"] + elements(entries.sorted()))
            part.rules.append("meta mark set \(key(family)) saddr map @\(name)")
        }
        guard !part.rules.isEmpty else { return part }
        // What the tunnel sends has waited already, as the packets that are inside.
        part.blocks += block(
            "chain tunnel", ["type filter hook output priority mangle; policy accept;", "\(isMarked) meta mark set 0"])
        return part
    }

    /// Whether a packet of the overlay is that of a limited container.
    static let isMarked = "meta mark and \(hex(TrafficMark.wayMask)) == \(hex(TrafficMark.Way.packet.rawValue))"

    static func type(_ family: IPAddress.Family) -> String { family == .v4 ? "ipv4_addr" : "ipv6_addr" }
    static func key(_ family: IPAddress.Family) -> String { family == .v4 ? "ip" : "ip6" }
    static func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }

    /// A set of addresses of one family; `nil` without any.
    static func set(_ name: String, _ addresses: some Sequence<IPAddress>, _ family: IPAddress.Family) -> [String]? {
        let members = addresses.filter { $0.family == family }.sorted().map(\.description)
        if members.isEmpty { return nil }
        return block("set \(name)", ["type \(type(family))"] + elements(members))
    }
}
