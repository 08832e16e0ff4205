internal import SlimPolicy
internal import SlimRegistry

/// The policy as chains: what it costs to judge a packet does not depend on how many rules there are.
///
/// A packet is judged by the connection that it belongs to, however old: by who began it, and by whom it really reaches.
/// That is the source in the original direction, and the source of replies: whatever translation of addresses the host
/// does lies between the two.
///
///     protocol -> container's address -> other end's address -> port
struct JudgementChains {
    /// Empty when nothing is denied to anybody, and nothing is to be tracked for a denial to come.
    let lines: [String]

    private static let families = [IPAddress.Family.v4, .v6]

    init(_ rules: PacketRules) {
        let classes = rules.policy.packetClasses(rules.containers.map(\.container) + rules.others)
        let own = rules.containers.flatMap(\.container.addresses).sorted()
        var writer = ChainWriter()
        var maps: [String] = []
        var dispatch: [String] = []
        for direction in [PolicyDirection.egress, .ingress] {
            var ways: [PolicyProtocol: [String]] = [:]
            for transport in PolicyProtocol.allCases {
                for family in Self.families {
                    let verdicts = Self.verdicts(
                        rules.policy, direction, transport, own.filter { $0.family == family }, classes, &writer)
                    if verdicts.isEmpty { continue }
                    let name = "\(direction.rawValue)_\(transport.word)\(family.rawValue)"
                    let (type, key) = family == .v4 ? ("ipv4_addr", "ip") : ("ipv6_addr", "ip6")
                    maps += block("map \(name)", ["type \(type) : verdict"] + elements(verdicts))
                    let end = direction == .egress ? "original" : "reply"
                    ways[transport, default: []].append("ct \(end) \(key) saddr vmap @\(name)")
                }
            }
            dispatch += Self.dispatch(direction, ways)
        }
        lines = maps.isEmpty && !rules.tracksAlways ? [] : maps + writer.lines + dispatch + Self.fixed(rules)
    }

    /// What becomes of the packets of each container of which something is denied.
    private static func verdicts(
        _ policy: CompiledPolicy, _ direction: PolicyDirection, _ transport: PolicyProtocol, _ own: [IPAddress],
        _ classes: PacketClasses, _ writer: inout ChainWriter
    ) -> [String] {
        guard let family = own.first?.family else { return [] }
        let ranges = classes.ranges.filter { $0.first.family == family }
        var known: [Int: String?] = [:]
        return own.compactMap { address in
            guard let identity = ranges.last(where: { $0.first <= address })?.identity else { return nil }
            if let known = known[identity] { return known.map { "\(address) : \($0)" } }
            let container = classes.classes[identity]
            var actions: [Int: PortActions] = [:]
            let parts = ranges.lazy.map { range in
                if let known = actions[range.identity] {
                    return Judgement.Part(first: range.first, last: range.last, actions: known)
                }
                let peer = classes.classes[range.identity]
                let (from, to) = direction == .egress ? (container, peer) : (peer, container)
                let new = PortActions(policy.packetVerdicts(direction, from: from, to: to, protocol: transport))
                actions[range.identity] = new
                return Judgement.Part(first: range.first, last: range.last, actions: new)
            }
            let verdict = Judgement(covering: parts).flatMap { writer.verdict(of: $0, direction, transport, family) }
            known[identity] = .some(verdict)
            return verdict.map { "\(address) : \($0)" }
        }
    }

    /// The way into the maps of a direction, by protocol.
    private static func dispatch(_ direction: PolicyDirection, _ ways: [PolicyProtocol: [String]]) -> [String] {
        let name = direction.rawValue
        func verdict(_ transport: PolicyProtocol) -> String {
            ways[transport] == nil ? "return" : "goto \(name)_\(transport.word)"
        }
        let chains = PolicyProtocol.allCases.flatMap { transport in
            ways[transport].map { block("chain \(name)_\(transport.word)", $0) } ?? []
        }
        let protocols = [("tcp", .tcp), ("udp", .udp), ("icmp", .icmp), ("icmpv6", PolicyProtocol.icmp)]
        let elements = protocols.map { "\($0.0) : \(verdict($0.1))" }.joined(separator: ", ")
        return chains + block("chain \(name)", ["ct original protocol vmap { \(elements) }", verdict(.other)])
    }

    private static let strangers = [
        "ct state invalid,untracked goto orphans", "ct state new meta l4proto tcp jump midway",
    ]

    private static func fixed(_ rules: PacketRules) -> [String] {
        let tunnel = rules.tunnel
        let family = tunnel.address.family == .v4 ? "ip" : "ip6"
        return block("chain refuse", ["meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited"])
            // What belongs to no connection, though it should, is nobody's: a program that forges packets makes such.
            + block("chain orphans", ["icmpv6 type { \(SourceChains.neighbourTypes) } accept", "drop"])
            // A connection from before the first policy is taken up by a packet in its midst, and taken to be begun by whom
            // that came from: not by a server, by the look of the ports. Its client's next packet will do.
            + block(
                "chain midway",
                ["tcp flags & (fin | syn | rst | ack) != syn tcp sport < 32768 tcp dport >= 32768 drop"])
            + block("chain passing", Self.strangers + ["jump egress", "goto ingress"])
            // The host may talk to its own containers; they are asked what they say to it.
            + block("chain addressed", Self.strangers + ["goto egress"])
            + block(
                "chain forward",
                [
                    "type filter hook forward priority filter; policy accept;",
                    "iifname \"\(rules.bridge)\" goto passing", "oifname \"\(rules.bridge)\" goto passing",
                ])
            + block(
                "chain input",
                [
                    "type filter hook input priority filter; policy accept;",
                    "iifname \"\(rules.bridge)\" goto addressed",
                ])
            // A packet in the tunnel is tracked once: as what it is.
            + block(
                "chain tunnel_in",
                [
                    "type filter hook prerouting priority raw; policy accept;",
                    "\(family) daddr \(tunnel.address) udp dport \(tunnel.port) "
                        + "iifname != \"\(rules.bridge)\" notrack",
                ])
            + block(
                "chain tunnel_out",
                [
                    "type filter hook output priority raw; policy accept;",
                    "\(family) saddr \(tunnel.address) udp dport \(tunnel.port) notrack",
                ])
    }
}
