import FoundationEssentials
import SlimJSON
import SlimRegistry
import Testing

@testable import SlimPolicy

/// The example of docs/policy.md does what the NetworkPolicy that it translates does.
@Suite struct KubernetesTests {
    private let policy: CompiledPolicy

    init() throws {
        let document = try String(contentsOfFile: "\(SchemaTests.root)/docs/policy.md", encoding: .utf8)
        let block = try #require(document.split(separator: "```json\n").last?.split(separator: "```").first)
        policy = CompiledPolicy(try PolicyDocument.parse(Array(block.utf8), file: "docs/policy.md"))
    }

    private func container(_ labels: [String: String]) -> PolicyEndpoint {
        PolicyEndpoint(name: "c", labels: labels, address: IPAddress(v4: (10, 32, 1, 2)))
    }

    private var db: PolicyEndpoint { container(["namespace": "default", "role": "db"]) }

    private func isAllowed(
        _ direction: PolicyDirection, _ from: PolicyEndpoint, _ to: PolicyEndpoint, _ port: UInt16,
        _ transport: PolicyProtocol = .tcp
    ) -> Bool {
        policy.decide(direction, from: from, to: to, port: Port(port), protocol: transport).isAllowed
    }

    @Test func `who may reach the selected pods is what the ingress rules say`() {
        let peers: [(PolicyEndpoint, Bool)] = [
            (PolicyEndpoint(outside: IPAddress(v4: (172, 17, 0, 9))), true),
            (PolicyEndpoint(outside: IPAddress(v4: (172, 17, 1, 9))), false),
            (PolicyEndpoint(outside: IPAddress(v4: (172, 18, 0, 9))), false),
            (container(["namespace": "other", "ns/project": "myproject"]), true),
            (container(["namespace": "default", "role": "frontend"]), true),
            (container(["namespace": "other", "role": "frontend"]), false),
            (container(["namespace": "default", "role": "db"]), false),
        ]
        for (peer, isAllowed) in peers {
            #expect(self.isAllowed(.ingress, peer, db, 6379) == isAllowed, "\(peer)")
            #expect(!self.isAllowed(.ingress, peer, db, 6380), "\(peer)")
            #expect(!self.isAllowed(.ingress, peer, db, 6379, .udp), "\(peer)")
        }
    }

    @Test func `what the selected pods may reach is what the egress rules say`() {
        let inside = PolicyEndpoint(outside: IPAddress(v4: (10, 0, 0, 7)))
        let beside = PolicyEndpoint(outside: IPAddress(v4: (10, 0, 1, 7)))
        for (port, isAllowed) in [(31999, false), (32000, true), (32500, true), (32768, true), (32769, false)] {
            #expect(self.isAllowed(.egress, db, inside, UInt16(port)) == isAllowed, "\(port)")
            #expect(!self.isAllowed(.egress, db, beside, UInt16(port)), "\(port)")
        }
    }

    @Test func `a rule of one direction opens no other end`() {
        // The frontend may reach the database, but the database not the frontend, though it is open itself.
        let frontend = container(["namespace": "default", "role": "frontend"])
        #expect(isAllowed(.egress, frontend, db, 6379) && isAllowed(.ingress, frontend, db, 6379))
        #expect(!isAllowed(.egress, db, frontend, 6379) && isAllowed(.ingress, db, frontend, 6379))
    }

    @Test func `whoever no policy selects is open`() {
        let (one, other) = (container(["namespace": "default"]), container(["namespace": "other", "role": "db"]))
        for direction in PolicyDirection.allCases {
            #expect(isAllowed(direction, one, other, 1) && isAllowed(direction, other, one, 1, .icmp))
        }
    }
}
