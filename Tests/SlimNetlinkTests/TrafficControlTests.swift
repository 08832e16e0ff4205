import SlimNetlink
import SlimOverlay
import SlimPacketFilter
import SlimPolicy
import SlimRegistry
import SlimSystem
import SlimTraffic
import Testing

struct TrafficControlTests {
    private static let both = """
        "bandwidth": [
          {"name": "a", "select": {"container": ["a1", "a2"]}, "egress": {"rate": "10mbit"}},
          {"name": "b", "select": {"container": "a2"}, "ingress": {"rate": "20mbit"}}
        ]
        """
    private static let one = """
        "bandwidth": [{"name": "a", "select": {"container": "a1"}, "egress": {"rate": "30mbit", "ceiling": "5gbit"}}]
        """
    private static let containers = [("a1", [2]), ("a2", [3])]

    @Test func `limits are laid down, changed by another router, and taken away without a trace`() throws {
        let host = try LimitedHost()
        let before = try host.routes.queues()
        try host.control.apply(try host.plan(Self.both, Self.containers))
        let device = try host.routes.index(of: TrafficPlan.device)
        // All together; for each of the two: its own class, and below it connections and packets.
        #expect(try host.classes(of: device) == [0x1, 0x902, 0x903, 0x6102, 0x6103, 0xa102, 0xa103])
        for way in ["lo", "up0", "slim0", "slim-vx"] {
            let index = try host.routes.index(of: way)
            #expect(try host.routes.filterPriorities(on: index, at: .sending).count == 1, "\(way)")
        }
        let port = try host.routes.index(of: host.port(of: "a2"))
        #expect(try host.routes.queues().contains { $0.interface == port && $0.kind == "htb" })
        #expect(try !host.control.mend(), "all of it is there")

        let next = try host.makeControl()
        try next.apply(try host.plan(Self.one, Self.containers))
        #expect(try host.routes.index(of: TrafficPlan.device) == device)
        #expect(try host.classes(of: device) == [0x1, 0x902, 0x6102, 0xa102])
        #expect(try !host.routes.queues().contains { $0.interface == port && $0.kind == "htb" })

        try host.makeControl().remove()
        #expect(try host.routes.link(named: TrafficPlan.device) == nil)
        #expect(Set(try host.routes.queues()) == Set(before))
        try host.makeControl().remove()
    }

    @Test func `what others have on their devices stays as it is`() throws {
        let host = try LimitedHost()
        let uplink = try host.routes.index(of: "up0")
        try host.routes.createTokenBucket(on: uplink, QueueHandle(7, 0), fallback: 0)
        try host.routes.createFilterPlace(on: uplink)
        try host.routes.createFunctionalBlock("theirs", queueLength: 10)
        // Nobody's packet is meant.
        let nothing = PacketProgram([PacketProgram.Instruction(0x06, 0)])
        let theirs = try host.routes.index(of: "theirs")
        for place in [QueueHandle.sending, .receiving] {
            try host.routes.replaceFilter(on: uplink, at: place, priority: 9, detour: theirs, for: nothing)
        }
        let before = try host.routes.queues().filter { $0.interface == uplink }
        try host.control.apply(try host.plan(Self.both, Self.containers))
        #expect(try host.routes.queues().filter { $0.interface == uplink } == before)
        #expect(try host.routes.filterPriorities(on: uplink, at: .sending) == [9, 0x534c])
        try host.control.remove()
        #expect(try host.routes.queues().filter { $0.interface == uplink } == before)
        #expect(try host.routes.filterPriorities(on: uplink, at: .sending) == [9])
        #expect(try host.routes.filterPriorities(on: uplink, at: .receiving) == [9])
    }

    @Test func `what somebody takes away comes back, and new ways are looked at`() throws {
        let host = try LimitedHost()
        try host.control.apply(try host.plan(Self.both, Self.containers))
        let whole = try host.classes(of: try host.routes.index(of: TrafficPlan.device))
        let uplink = try host.routes.index(of: "up0")
        let damages: [() throws -> Void] = [
            { try host.routes.deleteLink(named: TrafficPlan.device) },
            { try host.routes.deleteQueue(on: try host.routes.index(of: TrafficPlan.device)) },
            { try host.routes.deleteFilterPlace(on: uplink) },
            { try host.routes.deleteQueue(on: try host.routes.index(of: host.port(of: "a2"))) },
            { try host.nftables.run("flush ruleset\n") },
        ]
        for damage in damages {
            try damage()
            #expect(try host.control.mend())
            #expect(try !host.control.mend())
            #expect(try host.classes(of: try host.routes.index(of: TrafficPlan.device)) == whole)
        }
        try host.routes.createBridge("new0", LinkChanges(isUp: true))
        let new = try host.routes.index(of: "new0")
        try host.routes.replace(Route(destination: try subnet("203.0.113.0/24"), interface: new))
        #expect(try host.control.mend())
        #expect(try host.routes.filterPriorities(on: new, at: .sending).count == 1)
    }

    @Test func `a limit of what is received alone is whole too`() throws {
        let host = try LimitedHost()
        let receiver = #""bandwidth": [{"name": "b", "select": {"container": "a2"}, "ingress": {"rate": "20mbit"}}]"#
        try host.control.apply(try host.plan(receiver, Self.containers))
        #expect(try !host.control.mend(), "all of it is there")
        try host.nftables.run("flush ruleset\n")
        #expect(try host.control.mend())
        #expect(try !host.control.mend())
    }

    @Test func `many containers have their limits, and a name that is taken is an error`() throws {
        let host = try LimitedHost()
        let many = (0..<240).map { ("c\($0)", [$0 + 10]) }
        try host.control.apply(
            try host.plan(
                #""bandwidth": [{"name": "all", "select": "containers", "egress": {"rate": "1mbit"}}]"#, many))
        let device = try host.routes.index(of: TrafficPlan.device)
        #expect(try host.classes(of: device).count == 1 + 240 * 3)
        try host.control.remove()
        try host.routes.createBridge(TrafficPlan.device)
        let plan = try host.plan(Self.both, Self.containers)
        #expect(throws: TrafficError.self) { try host.control.apply(plan) }
        try host.routes.deleteLink(named: TrafficPlan.device)
        #expect(try host.control.mend(), "what could not be done is done when it can")
    }
}

/// A host with an overlay and containers, whose traffic is limited.
private struct LimitedHost {
    let pair: HostPair
    let routes: RouteSocket
    let control: TrafficControl
    let nftables: Nftables
    private let inside: [TestNamespace]

    init() throws {
        pair = try HostPair()
        try pair.establish()
        inside = [try TestNamespace(), try TestNamespace()]
        for (index, namespace) in inside.enumerated() {
            try pair.a.attach(
                namespace: namespace.handle, container: "a\(index + 1)",
                addresses: HostPair.addresses(host: 1, container: index + 2))
        }
        routes = try RouteSocket(in: pair.hostA.handle)
        control = try Self.makeControl(pair)
        nftables = try pair.hostA.run { try Nftables() }
    }

    func makeControl() throws -> TrafficControl { try Self.makeControl(pair) }

    private static func makeControl(_ pair: HostPair) throws -> TrafficControl {
        let configuration = TrafficConfiguration(underlay: address("192.0.2.1"), bridge: "slim0", vxlan: "slim-vx")
        return try pair.hostA.run { try TrafficControl(configuration) }
    }

    func plan(_ members: String, _ containers: [(String, [Int])]) throws -> TrafficPlan {
        let rules = try packetRules(members, containers: containers.map { ($0.0, [:], Array($0.1)) })
        return TrafficPlan(rules.policy, rules.containers, others: [], bridge: rules.bridge)
    }

    func port(of container: String) throws -> String {
        let rules = try packetRules("", containers: [(container, [:], [2])])
        return try #require(rules.containers.first).port
    }

    func classes(of device: InterfaceIndex) throws -> [UInt16] { try routes.classes(on: device).map(\.minor).sorted() }
}
