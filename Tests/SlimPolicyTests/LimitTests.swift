import SlimJSON
import SlimRegistry
import Testing

@testable import SlimPolicy

@Suite struct LimitTests {
    private func example(_ name: String) throws -> CompiledPolicy {
        CompiledPolicy(try PolicyDocument.load("\(SchemaTests.root)/Policies/\(name)"))
    }

    private func container(_ name: String, _ labels: [String: String]) -> PolicyEndpoint {
        PolicyEndpoint(name: name, labels: labels, address: IPAddress(v4: (10, 32, 1, 2)))
    }

    @Test func `of several limits the lowest counts`() throws {
        let policy = try example("rates.json")
        let plain = policy.identityClass(of: container("a", [:])).limits
        #expect(plain.egress?.rate.bitsPerSecond == 1_000_000_000 && plain.ingress == nil)
        let batch = policy.identityClass(of: container("a", ["class": "batch"])).limits
        #expect(batch.egress?.rate.description == "100mbit" && batch.egress?.ceiling.description == "300mbit")
        #expect(batch.egress?.burstBytes == 262_144 && batch.ingress?.rate.description == "200mbit")
        let mirror = policy.identityClass(of: container("mirror", [:])).limits
        #expect(mirror.connectionEgress?.bytesPerSecond == 2_500_000)
        #expect(mirror.connectionIngress?.description == "50mbit" && mirror.egress == plain.egress)
        let outside = policy.identityClass(of: PolicyEndpoint(outside: IPAddress(v4: (192, 0, 2, 1))))
        #expect(outside.limits == .unlimited)
    }

    @Test func `a connection is treated alike whoever of its ends is selected`() throws {
        let policy = try example("priorities.json")
        let web = policy.identityClass(of: container("w", ["tier": "web"]))
        let other = policy.identityClass(of: container("o", ["app": "backup"]))
        let outside = policy.identityClass(of: PolicyEndpoint(outside: IPAddress(v4: (192, 0, 2, 1))))
        let to = policy.treatment(from: outside, to: web, port: Port(80))
        #expect(to.priority == .interactive && to.dscp?.trafficClass == 18 << 2)
        #expect(policy.treatment(from: web, to: outside, port: Port(80)) == to)
        #expect(policy.treatment(from: web, to: outside, port: Port(81)) == .normal)
        #expect(policy.treatment(from: other, to: web, port: Port(80)) == to)
        #expect(policy.treatment(from: other, to: web, port: Port(81)).priority == .bulk)
        #expect(policy.treatment(from: other, to: outside, port: Port(0), protocol: .icmp).dscp?.rawValue == 8)
    }

    @Test(arguments: [
        ("100mbit", 100_000_000), ("1.5gbit", 1_500_000_000), ("64kbit", 64_000), ("8000bit", 8000),
        ("0.5mbit", 500_000),
    ])
    func `rates are read in thousands`(text: String, bits: UInt64) {
        #expect(Quantity.parse(text, units: Quantity.rateUnits) == bits)
    }

    @Test(arguments: [
        "", "mbit", "1", "1.mbit", ".5mbit", "-1mbit", "1 mbit", "1MBIT", "0.0001kbit", "1e3bit",
        "999999999999gbit", "1.1234567gbit",
    ])
    func `what is no rate is refused`(text: String) {
        #expect(Quantity.parse(text, units: Quantity.rateUnits) == nil)
    }

    @Test func `what differs between two policies is told by name`() throws {
        func document(_ members: String) throws -> PolicyDocument {
            try PolicyDocument.parse(Array(#"{"version": 1, \#(members)}"#.utf8), file: "p.json")
        }
        let (a, b, c) = (
            #"{"name": "a", "action": "allow", "from": "any", "to": "any"}"#,
            #"{"name": "b", "action": "allow", "from": "any", "to": "any"}"#,
            #"{"name": "b", "action": "deny", "from": "any", "to": "any"}"#
        )
        let old = try document(#""rules": [\#(a), \#(b)]"#)
        let new = try document(#""defaultAction": {"ingress": "deny"}, "rules": [\#(c)]"#)
        let changes = PolicyDifference(from: old, to: new).changes
        #expect(changes.map(\.part) == ["defaultAction", "rules", "rules"])
        #expect(changes.map(\.name) == [nil, "a", "b"])
        #expect(changes.map { $0.after == nil } == [false, true, false])
        #expect(changes.last?.before == b && changes.last?.after == c)
        #expect(PolicyDifference(from: old, to: try document(#""rules": [\#(b), \#(a)]"#)).isEmpty)
    }
}
