import SlimRegistry

@testable import SlimPolicy

/// SplitMix64: the same numbers each time.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// Makes policies and flows of a world so small that they meet often.
struct RandomPolicy {
    var random: SeededGenerator

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &random)]
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    // MARK: Text

    mutating func text() -> String {
        var members = [#""version": 1"#]
        if chance(80) {
            let actions = [pick(["allow", "deny"]), pick(["allow", "deny"])]
            let mode = actions.contains("deny") && chance(30) ? #", "mode": "drop""# : ""
            members.append(#""defaultAction": {"ingress": "\#(actions[0])", "egress": "\#(actions[1])"\#(mode)}"#)
        }
        members.append(list("isolate", 0...2) { $0.isolation() })
        members.append(list("rules", 0...12) { $0.rule() })
        members.append(list("qos", 0...4) { $0.qos() })
        members.append(list("bandwidth", 0...3) { $0.bandwidth() })
        return "{" + members.joined(separator: ", ") + "}"
    }

    private mutating func list(
        _ key: String, _ counts: ClosedRange<Int>, _ element: (inout RandomPolicy) -> String
    ) -> String {
        let names = (0..<Int.random(in: counts, using: &random)).map { "n\($0)" }.shuffled(using: &random)
        let texts = names.map { #"{"name": "\#($0)", \#(element(&self))}"# }
        return "\"\(key)\": [\(texts.joined(separator: ", "))]"
    }

    private mutating func rule() -> String {
        var text = pick([#""action": "allow""#, #""action": "deny""#, #""action": "deny", "mode": "drop""#])
        text += #", "from": \#(peers()), "to": \#(peers())"# + scope()
        return text + traffic()
    }

    private mutating func isolation() -> String {
        #""select": \#(peers())"# + scope() + (chance(40) ? #", "mode": "\#(pick(["drop", "reject"]))""# : "")
    }

    private mutating func qos() -> String {
        let priority = pick([#""class": "realtime""#, #""class": "bulk""#, #""class": 3"#, #""class": "interactive""#])
        let mark = #""dscp": \#(Int.random(in: 0...63, using: &random))"#
        return #""select": \#(peers()), "# + pick([priority, mark, priority + ", " + mark]) + traffic()
    }

    private mutating func bandwidth() -> String {
        #""select": \#(peers()), "egress": {"rate": "\#(Int.random(in: 1...9, using: &random))mbit"}"#
    }

    private mutating func scope() -> String {
        chance(30) ? #", "direction": "\#(pick(["ingress", "egress", "both"]))""# : ""
    }

    private mutating func traffic() -> String {
        let transport = pick(["tcp", "udp", "icmp", "any", nil])
        let written = transport.map { #", "protocol": "\#($0)""# } ?? ""
        guard transport != "icmp", chance(60) else { return written }
        let ports = [#"[80]"#, #"["80-82"]"#, #"[82, 80]"#, #"["1-80", 82]"#, #"["81-65535"]"#, #"["1-65535"]"#]
        return written + #", "ports": "# + pick(ports)
    }

    private mutating func peers() -> String {
        let one = [
            #""any""#, #""containers""#, #"{"container": "a"}"#, #"{"container": ["b", "c"]}"#,
            #"{"labels": {"app": "x"}}"#, #"{"labels": {"app": "y"}}"#, #"{"labels": {"app": {"in": ["x", "z"]}}}"#,
            #"{"labels": {"app": {"notIn": ["x"]}}}"#, #"{"labels": {"app": {"notIn": ["x"], "exists": true}}}"#,
            #"{"labels": {"env": {"exists": true}}}"#, #"{"labels": {"env": {"exists": false}}}"#,
            #"{"labels": {"app": "x", "env": "p"}}"#, #"{"container": "a", "labels": {"app": "x"}}"#,
            #"{"cidr": "10.32.0.0/16"}"#, #"{"cidr": "10.32.1.0/24", "except": ["10.32.1.2/32"]}"#,
            #"{"cidr": "0.0.0.0/0", "except": ["10.32.1.0/24", "192.0.2.0/25"]}"#, #"{"cidr": "fd00:32::/48"}"#,
            #"{"cidr": "::/0", "except": ["fd00:32:0:1::/64"]}"#, #"{"cidr": "192.0.2.1/32"}"#,
        ]
        if chance(80) { return pick(one) }
        return pick([
            #"[{"container": "a"}, {"labels": {"app": "y"}}]"#,
            #"[{"cidr": "10.32.1.0/24"}, {"cidr": "fd00:32::/48"}]"#,
            #"["containers", {"cidr": "192.0.2.0/24"}]"#,
            #"[{"cidr": "10.0.0.0/8", "except": ["10.32.0.0/16"]}, {"cidr": "10.32.2.0/24"}]"#,
        ])
    }

    // MARK: Flows

    mutating func endpoint() -> PolicyEndpoint {
        let isSix = chance(40)
        let host = UInt8.random(in: 1...3, using: &random)
        let net = UInt8.random(in: 1...2, using: &random)
        if chance(25) {
            return PolicyEndpoint(
                outside: isSix
                    ? IPAddress(v6High: 0x2001_0db8_0000_0000, low: UInt64(host))
                    : IPAddress(v4: (192, 0, 2, host &* 100)))
        }
        var labels: [String: String] = [:]
        if let app = pick(["x", "y", "z", nil]) { labels["app"] = app }
        if let env = pick(["p", "t", nil]) { labels["env"] = env }
        return PolicyEndpoint(
            name: pick(["a", "b", "c", "d"]), labels: labels,
            address: isSix
                ? IPAddress(v6High: 0xfd00_0032_0000_0000 | UInt64(net), low: UInt64(host))
                : IPAddress(v4: (10, 32, net, host)))
    }

    mutating func port() -> UInt16 { pick([1, 79, 80, 81, 82, 83, 65535]) }

    mutating func transport() -> PolicyProtocol { pick(PolicyProtocol.allCases) }
}
