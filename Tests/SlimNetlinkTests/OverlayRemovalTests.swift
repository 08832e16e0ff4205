import SlimNetlink
import SlimOverlay
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

struct OverlayRemovalTests {
    @Test func `removal leaves the host as it was, also without a router and twice`() throws {
        let pair = try HostPair()
        let before = try Snapshot(pair.hostA)
        try pair.establish()
        let a1 = try TestNamespace()
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: HostPair.addresses(host: 1, container: 2))
        let configuration = HostPair.configuration(host: 1)
        // What a router leaves that dies while it attaches a container: a port without an alias.
        let routes = try RouteSocket(in: pair.hostA.handle)
        let bridge = try routes.index(of: "slim0")
        try routes.createVeth("sl0123456789abc", LinkChanges(master: .bridge(bridge)), peer: "half")
        for _ in 0..<2 { try pair.hostA.run { try Overlay.remove(configuration) } }
        var after = try Snapshot(pair.hostA)
        #expect(after == before)
        #expect(try RouteSocket(in: a1.handle).link(named: "eth0") == nil)
        try pair.a.establish()
        try pair.hostA.run { try Overlay.remove(configuration) }
        after = try Snapshot(pair.hostA)
        #expect(after == before)
    }

    @Test func `a name that is taken by something else is refused and left alone`() throws {
        let pair = try HostPair()
        let routes = try RouteSocket(in: pair.hostA.handle)
        try routes.createBridge("slim-vx")
        let before = try Snapshot(pair.hostA)
        let error = #expect(throws: OverlayError.self) { try pair.a.establish() }
        #expect(
            error?.message == "overlay.vxlan: slim-vx exists and is a bridge device, not a vxlan; choose another name")
        let after = try Snapshot(pair.hostA)
        #expect(after == before, "the bridge that was made first is gone again")
        let configuration = HostPair.configuration(host: 1)
        #expect(throws: OverlayError.self) { try pair.hostA.run { try Overlay.remove(configuration) } }
        #expect(try routes.link(named: "slim-vx")?.kind == "bridge")
    }

    @Test func `a VXLAN device with other parameters is replaced`() throws {
        let pair = try HostPair()
        let routes = try RouteSocket(in: pair.hostA.handle)
        try routes.createVXLAN("slim-vx", Link.VXLAN(id: 7, port: Port(8472), local: nil, isLearning: true))
        try pair.a.establish()
        #expect(
            try routes.link(named: "slim-vx")?.vxlan
                == Link.VXLAN(id: 32, port: Port(4789), local: address("192.0.2.1")))
    }

    @Test func `a VNI or UDP port in use is explained`() throws {
        let pair = try HostPair()
        let routes = try RouteSocket(in: pair.hostA.handle)
        try routes.createVXLAN("other", Link.VXLAN(id: 32, port: Port(4789), local: address("192.0.2.1")))
        let before = try Snapshot(pair.hostA)
        let error = #expect(throws: OverlayError.self) { try pair.a.establish() }
        #expect(error?.message.contains("choose another overlay.vxlanID") == true, "\(error?.message ?? "")")
        let after = try Snapshot(pair.hostA)
        #expect(after == before)
    }

    @Test func `a configuration that does not fit the host is explained`() throws {
        let pair = try HostPair()
        var configuration = HostPair.configuration(host: 9)
        let stranger = try HostPair.makeOverlay(configuration, in: pair.hostA)
        var error = #expect(throws: OverlayError.self) { try stranger.establish() }
        #expect(error?.message == "underlay.address: 192.0.2.9 is on no interface of this host; use one of 192.0.2.1")
        configuration = HostPair.configuration(host: 1)
        configuration.mtu = 1500
        let large = try HostPair.makeOverlay(configuration, in: pair.hostA)
        error = #expect(throws: OverlayError.self) { try large.establish() }
        #expect(error?.message.contains("use at most 1450") == true)
        #expect(error?.code == .configuration)
    }
}
