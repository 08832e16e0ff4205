import SlimJSON
import SlimRegistry
import Testing

@testable import SlimPolicy

@Suite struct DecisionTests {
    private let web = PolicyEndpoint(name: "web", labels: ["app": "web"], address: IPAddress(v4: (10, 32, 1, 2)))
    private let api = PolicyEndpoint(name: "api", labels: ["app": "api"], address: IPAddress(v4: (10, 32, 2, 2)))
    private let outside = PolicyEndpoint(outside: IPAddress(v4: (192, 0, 2, 1)))

    private func compile(_ members: String) throws -> CompiledPolicy {
        CompiledPolicy(try PolicyDocument.parse(Array(#"{"version": 1, \#(members)}"#.utf8), file: "p.json"))
    }

    private func verdicts(
        _ policy: CompiledPolicy, _ from: PolicyEndpoint, _ to: PolicyEndpoint, _ port: UInt16,
        _ transport: PolicyProtocol = .tcp
    ) -> [String] {
        [PolicyDirection.egress, .ingress].map { direction in
            let verdict = policy.decide(direction, from: from, to: to, port: Port(port), protocol: transport)
            let action =
                switch verdict.action {
                case .allow: "allow"
                case .deny(let mode): mode.rawValue
                }
            return "\(action): \(policy.name(of: verdict.cause))"
        }
    }

    @Test func `where nothing speaks the default of the direction holds`() throws {
        let policy = try compile(#""defaultAction": {"ingress": "deny", "egress": "allow", "mode": "drop"}"#)
        #expect(verdicts(policy, web, api, 80) == ["allow: default", "drop: default"])
    }

    @Test func `deny beats allow beats isolation beats default, whatever the order`() throws {
        let rules = [
            #"{"name": "a", "action": "allow", "from": "any", "to": {"labels": {"app": "api"}}, "ports": [80, "90-99"]}"#,
            #"{"name": "d", "action": "deny", "from": {"container": "web"}, "to": "any", "ports": [91], "mode": "drop"}"#,
            #"{"name": "r", "action": "deny", "from": {"container": "web"}, "to": "any", "ports": ["91-92"]}"#,
        ]
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let policy = try compile(
                #""isolate": [{"name": "i", "select": {"container": "api"}, "direction": "ingress"}], "rules": [\#(order.map { rules[$0] }.joined(separator: ","))]"#
            )
            #expect(verdicts(policy, web, api, 80) == ["allow: rule a", "allow: rule a"])
            #expect(verdicts(policy, web, api, 91) == ["drop: rule d", "drop: rule d"])
            #expect(verdicts(policy, web, api, 92) == ["reject: rule r", "reject: rule r"])
            #expect(verdicts(policy, outside, api, 92) == ["allow: rule a", "allow: rule a"])
            #expect(verdicts(policy, web, api, 100) == ["allow: default", "reject: isolation i"])
            #expect(verdicts(policy, api, web, 100) == ["allow: default", "allow: default"])
        }
    }
}
