import SlimJSON
import SlimPolicy

/// Small policies that speak about the containers of a ``FilteredPair`` and its surroundings.
enum RandomPolicy {
    static func make(_ random: inout SplitMix) -> PolicyDocument {
        while true {
            let text = text(&random)
            // Some are refused, for example for two selectors that overlap.
            if let document = try? PolicyDocument.parse(Array(text.utf8), file: "random.json") { return document }
        }
    }

    private static func text(_ random: inout SplitMix) -> String {
        var members = ["\"version\": 1"]
        if Bool.random(using: &random) {
            members.append(
                #""defaultAction": {"ingress": "\#(pick(["allow", "deny"], &random))", "#
                    + #""egress": "deny", "mode": "\#(mode(&random))"}"#)
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            members.append(
                #""isolate": [{"name": "i", "select": \#(selector(&random)), "#
                    + #""direction": "\#(pick(["ingress", "egress", "both"], &random))"}]"#)
        }
        let rules = (0..<Int.random(in: 1...6, using: &random)).map { rule($0, &random) }
        members.append("\"rules\": [\(rules.joined(separator: ", "))]")
        return "{\(members.joined(separator: ", "))}"
    }

    private static func rule(_ number: Int, _ random: inout SplitMix) -> String {
        let action = pick(["allow", "deny"], &random)
        var members = [
            #""name": "r\#(number)""#, #""action": "\#(action)""#, #""from": \#(selector(&random))"#,
            #""to": \#(selector(&random))"#,
        ]
        if action == "deny" { members.append(#""mode": "\#(mode(&random))""#) }
        let transport = pick(["tcp", "udp", "icmp", "any"], &random)
        members.append(#""protocol": "\#(transport)""#)
        if transport != "icmp", Bool.random(using: &random) {
            members.append(#""ports": [\#(pick(["80", "81, 90", "\"80-85\"", "\"81-65535\"", "1"], &random))]"#)
        }
        return "{\(members.joined(separator: ", "))}"
    }

    private static func selector(_ random: inout SplitMix) -> String {
        pick(
            [
                #""any""#, #""containers""#, #"{"container": "a1"}"#, #"{"container": "b1"}"#,
                #"{"labels": {"app": "web"}}"#, #"{"labels": {"app": "db"}}"#, #"{"labels": {"zone": "b"}}"#,
                #"{"cidr": "10.32.0.0/16"}"#, #"{"cidr": "10.32.0.0/16", "except": ["10.32.1.2/31"]}"#,
                #"{"cidr": "10.32.1.1/32"}"#, #"{"cidr": "fd00:32:0:1::/64"}"#,
                #"{"cidr": "::/0", "except": ["fd00:32:0:2::/64"]}"#, #"{"cidr": "fd00:32:0:1::1/128"}"#,
            ], &random)
    }

    private static func mode(_ random: inout SplitMix) -> String { pick(["reject", "drop"], &random) }

    private static func pick(_ choices: [String], _ random: inout SplitMix) -> String {
        choices[Int.random(in: 0..<choices.count, using: &random)]
    }
}

/// Random numbers that can be had again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
