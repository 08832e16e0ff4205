import SlimNetlink
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

@testable import SlimOverlay

/// Two hosts, two containers on the first, one on the second:
///
///     a1, a2 -- slim0 [host a] 192.0.2.1 ---- veth ---- 192.0.2.2 [host b] slim0 -- b1
struct OverlayTests {
    @Test(arguments: ["192.0.2.", "2001:db8::"])
    func `containers reach each other on one host and across hosts`(underlay: String) throws {
        let pair = try HostPair(underlay: underlay)
        try pair.establish()
        let a1 = try TestNamespace()
        let a2 = try TestNamespace()
        let b1 = try TestNamespace()
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: HostPair.addresses(host: 1, container: 2))
        try pair.a.attach(namespace: a2.handle, container: "a2", addresses: HostPair.addresses(host: 1, container: 3))
        try pair.b.attach(namespace: b1.handle, container: "b1", addresses: HostPair.addresses(host: 2, container: 2))
        for index in 0...1 {
            let toA1 = HostPair.addresses(host: 1, container: 2)[index]
            let toA2 = HostPair.addresses(host: 1, container: 3)[index]
            let toB1 = HostPair.addresses(host: 2, container: 2)[index]
            #expect(try ping(toB1, from: a1))
            #expect(try ping(toA1, from: b1))
            #expect(try ping(toA2, from: a1))
            #expect(try ping(toA1, from: a2))
            #expect(try ping(toB1, from: pair.hostA), "a host reaches the containers of another")
            #expect(try ping(toA1, from: pair.hostA), "a host reaches its own containers")
        }
    }

    @Test func `a packet of the full MTU crosses, and is counted on the VXLAN device`() throws {
        let pair = try HostPair()
        try pair.establish()
        let a1 = try TestNamespace()
        let b1 = try TestNamespace()
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: HostPair.addresses(host: 1, container: 2))
        try pair.b.attach(namespace: b1.handle, container: "b1", addresses: HostPair.addresses(host: 2, container: 2))
        let routes = try RouteSocket(in: pair.hostA.handle)
        #expect(try routes.link(named: "slim-vx")?.mtu == 1450)
        #expect(try RouteSocket(in: a1.handle).link(named: "eth0")?.mtu == 1450)
        let before = try #require(try routes.link(named: "slim-vx")).counters
        #expect(before.sentPackets == 0)
        #expect(try ping(address("10.32.2.2"), from: a1, dataBytes: 1450 - 28))
        #expect(try !ping(address("10.32.2.2"), from: a1, dataBytes: 1450 - 27))
        let passed = try #require(try routes.link(named: "slim-vx")).counters - before
        #expect(passed.sentPackets == 1 && passed.receivedPackets == 1)
    }

    @Test func `everything done twice is as done once, also by a new router`() throws {
        let pair = try HostPair()
        try pair.establish()
        let a1 = try TestNamespace()
        let given = HostPair.addresses(host: 1, container: 2)
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: given)
        let before = try Snapshot(pair.hostA, a1)
        try pair.establish()
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: given)
        let successor = try pair.makeOverlay(host: 1)
        try successor.establish()
        try successor.update(peers: [pair.record(host: 2)])
        try successor.attach(namespace: a1.handle, container: "a1", addresses: given)
        let after = try Snapshot(pair.hostA, a1)
        #expect(after == before)
    }

    @Test func `update adds the peers that are new and removes those that are gone`() throws {
        let pair = try HostPair()
        try pair.establish()
        let routes = try RouteSocket(in: pair.hostA.handle)
        let tunnel = try routes.index(of: "slim-vx")
        try pair.a.update(peers: [2, 3, 4].map(pair.record(host:)))
        var entries = try PeerEntries(routes, tunnel: tunnel)
        #expect(entries.routes.count == 6 && entries.neighbours.count == 6 && entries.forwarding.count == 3)
        try pair.a.update(peers: [pair.record(host: 3)])
        entries = try PeerEntries(routes, tunnel: tunnel)
        #expect(Set(entries.routes.map(\.destination)) == Set(HostPair.subnets(host: 3)))
        #expect(entries.neighbours.count == 2)
        #expect(entries.forwarding.map(\.host) == [address("192.0.2.3")])
        // A host that moved: the same subnets behind another underlay address.
        try pair.a.update(peers: [
            HostRecord(name: "h3", underlay: address("192.0.2.33"), subnets: HostPair.subnets(host: 3))
        ])
        entries = try PeerEntries(routes, tunnel: tunnel)
        #expect(entries.routes.count == 2 && entries.neighbours.count == 2)
        #expect(entries.forwarding.map(\.host) == [address("192.0.2.33")])
        try pair.a.update(peers: [])
        entries = try PeerEntries(routes, tunnel: tunnel)
        #expect(entries.routes.isEmpty && entries.neighbours.isEmpty && entries.forwarding.isEmpty)
    }

    @Test func `hundreds of peers are added, kept and removed`() throws {
        let pair = try HostPair()
        try pair.establish()
        let routes = try RouteSocket(in: pair.hostA.handle)
        let tunnel = try routes.index(of: "slim-vx")
        let peers = (2..<250).map(pair.record(host:))
        for _ in 0..<2 { try pair.a.update(peers: peers) }
        var entries = try PeerEntries(routes, tunnel: tunnel)
        #expect(entries.routes.count == 2 * peers.count && entries.neighbours.count == 2 * peers.count)
        #expect(entries.forwarding.count == peers.count)
        try pair.a.update(peers: Array(peers.prefix(1)))
        entries = try PeerEntries(routes, tunnel: tunnel)
        #expect(entries.routes.count == 2 && entries.neighbours.count == 2 && entries.forwarding.count == 1)
    }

    @Test func `a bad peer is named and does not cut off the good one`() throws {
        let pair = try HostPair()
        try pair.establish()
        let own = HostRecord(name: "thief", underlay: address("192.0.2.9"), subnets: HostPair.subnets(host: 1))
        let outside = HostRecord(name: "far", underlay: address("192.0.2.8"), subnets: [try subnet("10.99.0.0/24")])
        let mixed = HostRecord(name: "six", underlay: address("2001:db8::7"), subnets: HostPair.subnets(host: 7))
        for bad in [own, outside, mixed] {
            let error = #expect(throws: OverlayError.self) { try pair.a.update(peers: [bad, pair.record(host: 2)]) }
            #expect(error?.message.contains("peer \(bad.name)") == true)
            #expect(error?.code == .address)
        }
        let b1 = try TestNamespace()
        try pair.b.attach(namespace: b1.handle, container: "b1", addresses: HostPair.addresses(host: 2, container: 2))
        #expect(try ping(address("10.32.2.2"), from: pair.hostA))
    }

    @Test func `an address that no host owns is unreachable and does not leave by the default route`() throws {
        let pair = try HostPair()
        try pair.establish()
        let a1 = try TestNamespace()
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: HostPair.addresses(host: 1, container: 2))
        let far = try RouteSocket(in: pair.hostB.handle)
        for anywhere in ["10.32.77.1", "198.51.100.1"] {
            try far.replace(
                InterfaceAddress(interface: try far.index(of: "up0"), address: address(anywhere), prefixLength: 32))
        }
        let routes = try RouteSocket(in: pair.hostA.handle)
        try routes.replace(
            Route(
                destination: try subnet("0.0.0.0/0"), gateway: address("192.0.2.2"),
                interface: try routes.index(of: "up0")))
        #expect(try ping(address("198.51.100.1"), from: pair.hostA), "the default route leads to the other host")
        #expect(try !ping(address("10.32.77.1"), from: a1))
        #expect(try !ping(address("10.32.77.1"), from: pair.hostA))
    }
}
