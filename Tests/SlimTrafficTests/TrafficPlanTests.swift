import Foundation
import SlimJSON
import SlimNetlink
import SlimPacketFilter
import SlimPolicy
import SlimRegistry
import Testing

@testable import SlimTraffic

struct TrafficPlanTests {
    @Test func `a policy without bandwidth and qos asks for nothing`() throws {
        let plan = try plan(#""rules": []"#)
        #expect(plan.isEmpty)
        #expect(plan == TrafficPlan())
    }

    @Test func `each container has its own limits, with what headers take`() throws {
        let plan = try plan(
            #"""
            "bandwidth": [
              {"name": "web", "select": {"container": "web"}, "egress": {"rate": "100mbit", "ceiling": "200mbit", "burst": 50000}},
              {"name": "all", "select": "containers", "egress": {"rate": "1gbit"}},
              {"name": "db", "select": {"container": "db"}, "ingress": {"rate": "80mbit"}}
            ]
            """#)
        let web = try #require(TrafficNumber(rawValue: 258))
        #expect(plan.senders.count == 2)
        #expect(plan.senders[web]?.burstBytes == 50_000)
        #expect(plan.receivers.keys.sorted() == ["sl-db"])
        let own = plan.classes(link: nil).filter { $0.handle == TrafficClasses.container(web) }
        #expect(own.map(\.bytesPerSecond) == [12_875_000])
        #expect(own.map(\.ceilingBytesPerSecond) == [25_750_000])
        #expect(own.map(\.burstBytes) == [50_000])
        // Parents come before their children, and no class is there twice.
        var known: Set<QueueHandle> = [TrafficClasses.queue]
        for one in plan.classes(link: nil) {
            #expect(known.contains(one.parent))
            #expect(known.insert(one.handle).inserted)
        }
        #expect(plan.classes(link: nil).count == 1 + 2 * 3)
    }

    @Test func `a container has a class for each priority that the policy speaks of`() throws {
        let plan = try plan(
            #"""
            "bandwidth": [{"name": "web", "select": {"container": "web"}, "egress": {"rate": "100mbit"}}],
            "qos": [
              {"name": "a", "select": {"container": "web"}, "class": "realtime", "dscp": "ef", "ports": [5000], "protocol": "udp"},
              {"name": "b", "select": "containers", "class": "bulk"}
            ]
            """#)
        #expect(plan.priorities.map(\.rawValue) == [0, 4, 6])
        let leaves = plan.classes(link: nil).filter { $0.handle.way == .packet }
        #expect(leaves.map(\.priority) == [0, 4, 6])
        let text = try #require(plan.ruleset)
        #expect(text.contains("10.32.1.2 : 0x534d2102"))
        // What decides comes last: it has the last word.
        let bulk = try #require(text.range(of: "jump matches1"))
        let realtime = try #require(text.range(of: "jump matches0"))
        #expect(bulk.lowerBound < realtime.lowerBound)
        #expect(text.contains("ip dscp set 46"))
    }

    @Test func `the order in the file has no meaning`() throws {
        let entries = [
            #"{"name": "a", "select": {"container": "web"}, "egress": {"rate": "100mbit"}}"#,
            #"{"name": "b", "select": "containers", "egress": {"rate": "50mbit"}, "ingress": {"rate": "1gbit"}}"#,
        ]
        let one = try plan("\"bandwidth\": [\(entries.joined(separator: ","))]")
        let other = try plan("\"bandwidth\": [\(entries.reversed().joined(separator: ","))]")
        #expect(one == other)
        #expect(one.senders.values.allSatisfy { $0.rate.bitsPerSecond == 50_000_000 })
    }

    @Test func `containers that share a number have the lowest limit of them`() throws {
        let plan = try plan(
            #""bandwidth": [{"name": "a", "select": {"container": "far"}, "egress": {"rate": "1mbit"}}, {"name": "b", "select": "containers", "egress": {"rate": "9mbit"}}]"#,
            [("web", "10.32.1.2"), ("far", "10.32.9.2")])
        #expect(plan.senders.values.map(\.rate.bitsPerSecond) == [1_000_000])
    }

    private func plan(
        _ members: String, _ containers: [(String, String)] = [("web", "10.32.1.2"), ("db", "10.32.1.3")]
    ) throws -> TrafficPlan {
        let document = try PolicyDocument.parse(Array("{\"version\": 1, \(members)}".utf8), file: "policy.json")
        let own = try containers.map { name, address in
            LocalContainer(
                PolicyContainer(name: name, labels: [:], addresses: [try #require(IPAddress(address))]),
                port: "sl-\(name)", mac: MACAddress(bits: 1))
        }
        return TrafficPlan(CompiledPolicy(document), own, others: [], bridge: "slim0")
    }
}
