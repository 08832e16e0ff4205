import FoundationEssentials
import SlimJSON
import SlimRegistry
import SystemPackage
import Testing

@testable import SlimPolicy

/// Whatever is wrong with a policy: one line that says what, where and how to mend it.
@Suite struct BadInputTests {
    private func complaint(_ text: String) -> String? {
        do {
            _ = try PolicyDocument.parse(Array(text.utf8), file: "p.json")
            return nil
        } catch {
            return error.description
        }
    }

    /// A policy whose only rule has these members beside name and action.
    private static func rule(_ members: String) -> String {
        #"{"version": 1, "rules": [{"name": "r", "action": "deny", \#(members)}]}"#
    }

    private static func selector(_ selector: String) -> String { rule(#""from": "any", "to": \#(selector)"#) }

    @Test(arguments: [
        (#"{}"#, "1:1: the key \"version\" is missing; add it"),
        (#"[]"#, "1:1: is an array; write an object"),
        (#"{"version": 2}"#, "1:13: version: 2 is out of range; write an integer from 1 to 1"),
        (#"{"version": 1, "rule": []}"#, "1:16: unknown key \"rule\"; did you mean \"rules\"?"),
        (#"{"version": 1, "rules": {}}"#, "1:25: rules: is an object; write an array"),
        ("{\"version\": 1,\n \"rules\": [\n  {\"name\": 7}]}", "3:12: rules[0].name: is a number; write a string"),
        (#"{"version": 1, "version": 1}"#, "1:16: the key \"version\" stands twice in one object; remove"),
        (#"{"version": 1, "rules": [{"name": "a b"}]}"#, "rules[0].name: \"a b\" cannot be a name here; write"),
        (#"{"version": 1, "rules": [{"name": "a"}]}"#, "1:26: rules[0]: the key \"action\" is missing; add it"),
        (#"{"version": 1, "defaultAction": "deny"}"#, "1:33: defaultAction: is a string; write an object"),
        (#"{"version": 1, "defaultAction": {"ingress": "no"}}"#, "defaultAction.ingress: \"no\" is not a choice here;"),
        (#"{"version": 1, "defaultAction": {"mode": "drop"}}"#, "defaultAction.mode: nothing is denied here; remove"),
        (rule(#""from": "any""#), "rules[0]: the key \"to\" is missing; add it"),
        (rule(#""to": "any", "from": "all""#), "rules[0].from: \"all\" is not a selector; write \"any\""),
        (
            rule(#""to": "any", "from": "any", "ports": [0]"#),
            "rules[0].ports[0]: 0 is out of range; write an integer from 1 to 65535"
        ),
        (rule(#""to": "any", "from": "any", "ports": [70000]"#), "rules[0].ports[0]: 70000 is out of range;"),
        (rule(#""to": "any", "from": "any", "ports": [1e3]"#), "rules[0].ports[0]: 1e3 is out of range;"),
        (rule(#""to": "any", "from": "any", "ports": ["80"]"#), "rules[0].ports[0]: \"80\" is not a range of ports;"),
        (
            rule(#""to": "any", "from": "any", "ports": ["0-80"]"#),
            "rules[0].ports[0]: \"0-80\" is not a range of ports;"
        ),
        (rule(#""to": "any", "from": "any", "ports": ["80-70000"]"#), "rules[0].ports[0]: \"80-70000\" is not a range"),
        (
            rule(#""to": "any", "from": "any", "ports": ["90-80"]"#),
            "rules[0].ports[0]: the range 90-80 ends before it begins; write \"80-90\""
        ),
        (rule(#""to": "any", "from": "any", "ports": [80, "79-81"]"#), "rules[0].ports[0]: 80 overlaps 79-81; let"),
        (rule(#""to": "any", "from": "any", "ports": []"#), "rules[0].ports: is empty; write a port"),
        (rule(#""to": "any", "from": "any", "ports": 80"#), "rules[0].ports: is a number; write an array"),
        (
            rule(#""to": "any", "from": "any", "ports": [80], "protocol": "icmp""#),
            "rules[0].ports: ICMP has no ports; remove"
        ),
        (rule(#""to": "any", "from": "any", "protocol": "sctp""#), "rules[0].protocol: \"sctp\" is not a choice here;"),
        (
            #"{"version": 1, "rules": [{"name": "r", "action": "allow", "mode": "drop", "from": "any", "to": "any"}]}"#,
            "rules[0].mode: the rule denies nothing; remove"
        ),
        (
            #"{"version": 1, "rules": [{"name": "r", "action": "allow", "from": "any", "to": "any"}, {"name": "r", "action": "deny", "from": "any", "to": "any"}]}"#,
            "1:89: rules[1]: \"r\" is the name of the one at [0] already; give"
        ),
        (selector("{}"), "rules[0].to: is an empty selector; write"),
        (selector("[]"), "rules[0].to: is an empty selector; write"),
        (selector(#"{"labels": {}}"#), "rules[0].to.labels: is an empty selector; write"),
        (selector(#"{"container": []}"#), "rules[0].to.container: is an empty selector; write"),
        (selector(#"{"container": "-"}"#), "rules[0].to.container: \"-\" cannot name a container; write"),
        (selector(#"{"container": ["a", "a"]}"#), "rules[0].to.container[1]: \"a\" stands in the list twice; remove"),
        (selector(#"{"labels": {"a": {}}}"#), "rules[0].to.labels.a: is an empty selector; write"),
        (selector(#"{"labels": {"a": {"in": []}}}"#), "rules[0].to.labels.a.in: is an empty selector; write"),
        (
            selector(#"{"labels": {"a": {"in": ["x", "x"]}}}"#),
            "rules[0].to.labels.a.in[1]: \"x\" stands in the list twice;"
        ),
        (
            selector(#"{"labels": {"a": {"in": ["x"], "notIn": ["y"]}}}"#),
            "rules[0].to.labels.a: \"in\" overlaps the other tests"
        ),
        (
            selector(#"{"labels": {"a": {"notIn": ["x"], "exists": false}}}"#),
            "rules[0].to.labels.a: \"notIn\" overlaps"
        ),
        (selector(#"{"labels": {"a": 1}}"#), "rules[0].to.labels.a: is a number; write a value in quotes"),
        (
            selector(#"{"labels": {"a.b\n": "x"}}"#),
            "rules[0].to.labels[\"a.b\\u{a}\"]: \"a.b\\u{a}\" cannot be the key"
        ),
        (selector(#"{"cidr": "10.0.0.0"}"#), "rules[0].to.cidr: \"10.0.0.0\" is not a subnet in CIDR notation; write"),
        (selector(#"{"cidr": "10.0.0.0/33"}"#), "rules[0].to.cidr: \"10.0.0.0/33\" is not a subnet in CIDR notation;"),
        (
            selector(#"{"cidr": "10.0.0.1/8"}"#),
            "rules[0].to.cidr: \"10.0.0.1/8\" has bits set beyond the prefix; write 10.0.0.0/8"
        ),
        (
            selector(#"{"cidr": "fd00::1/64"}"#),
            "rules[0].to.cidr: \"fd00::1/64\" has bits set beyond the prefix; write fd00::/64"
        ),
        (
            selector(#"{"cidr": "10.0.0.0/8", "labels": {"a": "b"}}"#),
            "rules[0].to.labels: stands beside a cidr; write two"
        ),
        (selector(#"{"except": ["10.0.0.0/8"]}"#), "rules[0].to.except: stands without a cidr; add"),
        (selector(#"{"cidr": "10.0.0.0/8", "except": []}"#), "rules[0].to.except: is empty; remove"),
        (
            selector(#"{"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}"#),
            "rules[0].to.except[0]: 11.0.0.0/9 does not lie within 10.0.0.0/8;"
        ),
        (
            selector(#"{"cidr": "10.0.0.0/8", "except": ["fd00::/64"]}"#),
            "rules[0].to.except[0]: fd00::/64 does not lie within"
        ),
        (
            selector(#"{"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}"#),
            "rules[0].to.except: nothing of 10.0.0.0/8 is left"
        ),
        (
            selector(#"{"cidr": "10.0.0.0/8", "except": ["10.128.0.0/9", "10.0.0.0/10", "10.64.0.0/10"]}"#),
            "rules[0].to.except: nothing of 10.0.0.0/8 is left"
        ),
        (
            selector(#"{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.1.2.0/24"]}"#),
            "rules[0].to.except[1]: 10.1.2.0/24 overlaps 10.1.0.0/16;"
        ),
        (selector(#"["any", {"container": "a"}]"#), "rules[0].to[1]: overlaps \"any\" in the same list; remove"),
        (selector(#"[{"container": "a"}, {"container": "a"}]"#), "rules[0].to[1]: stands in the list twice; remove"),
        (
            selector(#"[{"container": "a"}, {"container": ["b", "a"]}]"#),
            "rules[0].to[1]: overlaps another selector of the list: \"a\";"
        ),
        (selector(#"["containers", {"container": "a"}]"#), "rules[0].to[1]: overlaps \"containers\" in the same list;"),
        (
            selector(#"[{"cidr": "10.1.0.0/16"}, {"cidr": "10.0.0.0/8"}]"#),
            "rules[0].to[0]: 10.1.0.0/16 overlaps 10.0.0.0/8 in the same list;"
        ),
        (#"{"version": 1, "isolate": [{"name": "i"}]}"#, "isolate[0]: the key \"select\" is missing;"),
        (#"{"version": 1, "bandwidth": [{"name": "b", "select": "any"}]}"#, "bandwidth[0]: limits nothing; write"),
        (
            #"{"version": 1, "bandwidth": [{"name": "b", "select": "any", "egress": {"rate": "100m"}}]}"#,
            "bandwidth[0].egress.rate: \"100m\" is no amount here; write bit/s"
        ),
        (
            #"{"version": 1, "bandwidth": [{"name": "b", "select": "any", "egress": {"rate": "99999999999gbit"}}]}"#,
            "bandwidth[0].egress.rate: \"99999999999gbit\" is no amount"
        ),
        (
            #"{"version": 1, "bandwidth": [{"name": "b", "select": "any", "egress": {"rate": -1}}]}"#,
            "bandwidth[0].egress.rate: -1 is no amount"
        ),
        (
            #"{"version": 1, "bandwidth": [{"name": "b", "select": "any", "egress": {"rate": "2mbit", "ceiling": "1mbit"}}]}"#,
            "bandwidth[0].egress.ceiling: the ceiling 1mbit is below the rate 2mbit;"
        ),
        (
            #"{"version": 1, "bandwidth": [{"name": "b", "select": "any", "perConnection": {}}]}"#,
            "bandwidth[0].perConnection: limits nothing;"
        ),
        (
            #"{"version": 1, "qos": [{"name": "q", "select": "any"}]}"#,
            "qos[0]: neither a class nor a DSCP value; write"
        ),
        (
            #"{"version": 1, "qos": [{"name": "q", "select": "any", "class": "fast"}]}"#,
            "qos[0].class: \"fast\" is not a class; write one of: realtime,"
        ),
        (#"{"version": 1, "qos": [{"name": "q", "select": "any", "class": 8}]}"#, "qos[0].class: 8 is out of range;"),
        (
            #"{"version": 1, "qos": [{"name": "q", "select": "any", "dscp": 64}]}"#,
            "qos[0].dscp: is not a DSCP value; write"
        ),
    ])
    func `a mistake is one line that says what, where and how to mend it`(text: String, expected: String) throws {
        let message = try #require(complaint(text), "\(text) was taken")
        #expect(message.hasPrefix("p.json:1:") || message.hasPrefix("p.json:3:"), "\(message)")
        #expect(message.contains(expected), "\(message)")
        #expect(!message.contains("\n") && message.contains("; "))
    }

    @Test func `a file is taken whole or not at all`() throws {
        let directory = "/tmp/slim-policy-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let large = "\(directory)/large.json"
        let descriptor = try FileDescriptor.open(
            FilePath(large), .writeOnly, options: [.create], permissions: .ownerReadWrite)
        try descriptor.closeAfter { try descriptor.resize(to: 200 << 20) }
        for (file, problem) in [
            (large, "larger than 16 MiB; is this the right file?"), (directory, "is a directory; "),
            ("\(directory)/none", "no such file; "), ("/dev/zero", "is not a regular file; "),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try PolicyDocument.load(file) }
            #expect(error.description.hasPrefix("\(file): \(problem)"), "\(error)")
        }
    }

    @Test func `deep nesting and text that is not UTF-8 are told by their place`() throws {
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(complaint(deep)?.hasPrefix("p.json:1:33: nested deeper than 32 levels; ") == true)
        let bytes = Array("{\"version\": 1,\n \"description\": \"".utf8) + [0xc3, 0x28, 0x22, 0x7d]
        let error = try #require(throws: ConfigurationError.self) { try PolicyDocument.parse(bytes, file: "p.json") }
        #expect(error.description == "p.json:2:18: not UTF-8; save the file as UTF-8")
    }

    @Test func `damage of any kind is refused or taken, but never fatal`() throws {
        var random = RandomPolicy(random: SeededGenerator(seed: 13))
        var refused = 0
        for _ in 0..<400 {
            var bytes = Array(random.text().utf8)
            for _ in 0..<3 {
                let place = Int.random(in: bytes.indices, using: &random.random)
                switch Int.random(in: 0..<4, using: &random.random) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &random.random)
                case 2:
                    bytes.insert(
                        contentsOf: Array("[]{}\",:019".utf8).shuffled(using: &random.random).prefix(1), at: place)
                default: bytes.removeLast(min(bytes.count - 1, 5))
                }
            }
            do throws(ConfigurationError) {
                _ = CompiledPolicy(try PolicyDocument.parse(bytes, file: "p.json"))
            } catch {
                refused += 1
                #expect(!error.description.contains("\n"))
            }
        }
        #expect(refused > 300)
    }
}
