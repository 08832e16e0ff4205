internal import SlimPacketFilter
internal import SlimPolicy
internal import SlimRegistry

extension TrafficRuleset {
    /// A limit for each connection by itself: what is more is dropped.
    ///
    /// - Parameter end: which end of a packet is the container that is limited.
    static func flows(_ own: [Limited], _ limit: KeyPath<PolicyLimits, BitRate?>, _ end: String) -> Part {
        var members: [BitRate: [IPAddress]] = [:]
        for (container, limits) in own {
            guard let rate = limits[keyPath: limit] else { continue }
            members[rate, default: []] += container.container.addresses
        }
        var part = Part()
        for (index, (rate, addresses)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
            for family in families {
                let suffix = "_\(end)\(index)_\(family.rawValue)"
                guard let set = set("limited\(suffix)", addresses, family) else { continue }
                let (type, key) = (type(family), key(family))
                part.blocks += set
                part.blocks += block(
                    "set flows\(suffix)",
                    [
                        "type \(type) . \(type) . inet_proto . inet_service . inet_service", "size 65536",
                        "flags dynamic,timeout", "timeout 30s",
                    ])
                part.rules.append(
                    "meta l4proto { tcp, udp } \(key) \(end) @limited\(suffix) update @flows\(suffix) "
                        + "{ \(key) saddr . \(key) daddr . meta l4proto . th sport . th dport \(over(rate)) } drop")
            }
        }
        return part
    }

    /// What there is of connections on host sockets to containers that are limited in what they receive: from before the
    /// limit. What is more is dropped.
    static func older(_ own: [Limited]) -> Part {
        var ways: [TrafficNumber: BitRate] = [:]
        for (container, limits) in own {
            guard let limit = limits.ingress, let number = TrafficNumber(container.container.addresses) else {
                continue
            }
            ways[number] = [ways[number], limit.ceiling].compactMap(\.self).min()
        }
        if ways.isEmpty { return Part() }
        let sorted = ways.sorted { $0.key < $1.key }
        let entries = sorted.map { number, _ in
            let mark = TrafficMark(.connection, number).value & ~TrafficMark.priorityMask
            return "\(hex(mark)) : goto older\(number.rawValue)"
        }
        var part = Part()
        part.blocks = sorted.flatMap { block("chain older\($0.rawValue)", ["\(over($1)) drop"]) }
        part.blocks += block("map older", ["type mark : verdict"] + elements(entries))
        part.blocks += block(
            "chain input",
            [
                "type filter hook input priority mangle; policy accept;",
                "socket mark and \(hex(~TrafficMark.priorityMask)) vmap @older",
            ])
        return part
    }

    /// Holds for what goes beyond a rate; TCP needs some room to find it.
    private static func over(_ rate: BitRate) -> String {
        let bytes = rate.bytesPerSecond
        return "limit rate over \(bytes) bytes/second burst \(min(max(150_000, bytes / 10), 1 << 30)) bytes"
    }
}
