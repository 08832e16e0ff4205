import SlimNetlink
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

struct RouteSocketTests {
    @Test func `a new namespace has a loopback interface that is down`() throws {
        let routes = try RouteSocket(in: try TestNamespace().handle)
        let links = try routes.links()
        #expect(links.map(\.name) == ["lo"])
        #expect(links.first?.isUp == false)
        #expect(try routes.link(named: "eth9") == nil)
        #expect(throws: NetlinkError(operation: "find", object: "eth9", errno: .noSuchDevice)) {
            try routes.index(of: "eth9")
        }
    }

    @Test func `a refusal names the operation, the object and the kernel's reason`() throws {
        let routes = try RouteSocket(in: try TestNamespace().handle)
        try routes.createBridge("br0")
        #expect(throws: NetlinkError(operation: "create bridge", object: "br0", errno: .fileExists)) {
            try routes.createBridge("br0")
        }
        #expect(
            throws: NetlinkError(operation: "create bridge", object: "much-too-long-a-name", errno: .invalidArgument)
        ) {
            try routes.createBridge("much-too-long-a-name")
        }
    }

    @Test func `what a link was made with is read back`() throws {
        let routes = try RouteSocket(in: try TestNamespace().handle)
        let mac = MACAddress(bits: 0x06_32_c0_00_02_01)
        try routes.createBridge("br0", LinkChanges(isUp: true, mtu: 1400, mac: mac))
        let bridge = try #require(try routes.link(named: "br0"))
        #expect(bridge.kind == "bridge")
        #expect(bridge.mac == mac)
        #expect(bridge.mac?.description == "06:32:c0:00:02:01")
        #expect(bridge.mtu == 1400)
        #expect(bridge.isUp)

        let parameters = Link.VXLAN(id: 32, port: Port(4789), local: address("192.0.2.1"))
        try routes.createVXLAN("vx0", parameters)
        #expect(try routes.link(named: "vx0")?.vxlan == parameters)
        let overIPv6 = Link.VXLAN(id: 33, port: Port(4790), local: address("2001:db8::1"), isLearning: true)
        try routes.createVXLAN("vx1", overIPv6)
        #expect(try routes.link(named: "vx1")?.vxlan == overIPv6)
    }

    @Test func `a link is renamed, made a bridge's port, let go and deleted`() throws {
        let routes = try RouteSocket(in: try TestNamespace().handle)
        try routes.createBridge("br0")
        try routes.createVeth("d0", peer: "other")
        let (bridge, dummy) = (try routes.index(of: "br0"), try routes.index(of: "d0"))
        try routes.change(dummy, LinkChanges(mtu: 1300, master: .bridge(bridge), name: "d1", alias: "a word"))
        let port = try #require(try routes.link(named: "d1"))
        #expect(port.index == dummy)
        #expect(port.master == bridge)
        #expect(port.mtu == 1300)
        #expect(port.alias == "a word")
        try routes.change(dummy, LinkChanges(isUp: true, master: LinkChanges.Master.none))
        #expect(try routes.link(named: "d1")?.master == nil)
        try routes.change(dummy, LinkChanges(isUp: false))
        #expect(try routes.link(named: "d1")?.isUp == false)
        try routes.delete(dummy)
        try routes.delete(dummy)
        try routes.deleteLink(named: "d1")
        #expect(try routes.link(named: "d1") == nil)
    }

    @Test func `veth ends are made in two namespaces, moved, and counted`() throws {
        let here = try TestNamespace()
        let there = try TestNamespace()
        let (near, far) = (try RouteSocket(in: here.handle), try RouteSocket(in: there.handle))
        let mac = MACAddress(bits: 0x02_32_0a_20_01_02)
        try near.createVeth("v0", peer: "eth0", LinkChanges(mtu: 1400, mac: mac), in: there.handle)
        let outer = try #require(try near.link(named: "v0"))
        let inner = try #require(try far.link(named: "eth0"))
        #expect(outer.peer == inner.index)
        #expect(inner.peer == outer.index)
        #expect(inner.mac == mac)
        #expect(inner.mtu == 1400)

        try near.createVeth("m0", peer: "m1")
        try near.move(try near.index(of: "m1"), to: there.handle, name: "moved")
        #expect(try near.link(named: "m1") == nil)
        #expect(try far.link(named: "moved")?.kind == "veth")

        try near.replace(InterfaceAddress(interface: outer.index, address: address("10.0.0.1"), prefixLength: 24))
        try far.replace(InterfaceAddress(interface: inner.index, address: address("10.0.0.2"), prefixLength: 24))
        try near.setUp(outer.index)
        try far.setUp(inner.index)
        let before = try #require(try near.link(named: "v0")).counters
        #expect(try ping(address("10.0.0.2"), from: here))
        let passed = try #require(try near.link(named: "v0")).counters - before
        #expect(passed.sentPackets >= 1 && passed.receivedPackets >= 1)
        #expect(passed.sentBytes >= 98)
    }

    @Test func `addresses and routes are replaced and deleted any number of times`() throws {
        let routes = try RouteSocket(in: try TestNamespace().handle)
        try routes.createBridge("d0", LinkChanges(isUp: true))
        let interface = try routes.index(of: "d0")
        let given = ["10.32.1.1", "fd00:32:0:1::1"].map {
            InterfaceAddress(interface: interface, address: address($0), prefixLength: $0.contains(":") ? 64 : 24)
        }
        for _ in 0..<2 { for one in given { try routes.replace(one) } }
        #expect(try Set(routes.addresses().filter { !$0.isLinkLocal }) == Set(given))

        let wanted = [
            Route(
                destination: try subnet("10.32.2.0/24"), gateway: address("10.32.2.1"), interface: interface,
                source: address("10.32.1.1"), isOnLink: true),
            Route(
                destination: try subnet("fd00:32:0:2::/64"), gateway: address("fd00:32:0:2::1"), interface: interface,
                source: address("fd00:32:0:1::1"), isOnLink: true, metric: 1024),
            Route(destination: try subnet("10.32.0.0/16"), kind: .unreachable, metric: .max),
            Route(destination: try subnet("0.0.0.0/0"), gateway: address("10.32.1.2"), interface: interface),
        ]
        for _ in 0..<2 { for one in wanted { try routes.replace(one) } }
        let made = try routes.routes().filter { $0.origin == .slim }
        #expect(Set(made.map(\.description)) == Set(wanted.map(\.description)))
        #expect(made.count == wanted.count)
        #expect(made.first { $0.destination == wanted[0].destination } == wanted[0])
        for _ in 0..<2 { for one in wanted { try routes.delete(one) } }
        #expect(try routes.routes().filter { $0.origin == .slim }.isEmpty)
        for _ in 0..<2 { for one in given { try routes.delete(one) } }
        #expect(try routes.addresses().filter { !$0.isLinkLocal }.isEmpty)
    }

    @Test func `neighbours and forwarding entries are replaced and deleted any number of times`() throws {
        let routes = try RouteSocket(in: try TestNamespace().handle)
        try routes.createVXLAN("vx0", Link.VXLAN(id: 1, port: Port(4789), local: address("192.0.2.1")))
        let interface = try routes.index(of: "vx0")
        try routes.setUp(interface)
        let (old, new) = (MACAddress(bits: 0x0a_32_c0_00_02_02), MACAddress(bits: 0x0a_32_c0_00_02_03))
        for mac in [old, new, new] {
            try routes.replace(Neighbour(interface: interface, address: address("10.32.2.1"), mac: mac))
            try routes.replace(Neighbour(interface: interface, address: address("fd00:32:0:2::1"), mac: mac))
        }
        #expect(try routes.neighbours().filter { $0.interface == interface }.map(\.mac) == [new, new])
        for host in ["192.0.2.2", "192.0.2.3", "192.0.2.3"] {
            try routes.replace(ForwardingEntry(interface: interface, mac: old, host: address(host)))
        }
        let entry = ForwardingEntry(interface: interface, mac: old, host: address("192.0.2.3"))
        #expect(try routes.forwardingEntries(of: interface) == [entry])
        for _ in 0..<2 {
            try routes.delete(entry)
            for neighbour in try routes.neighbours() { try routes.delete(neighbour) }
        }
        #expect(try routes.forwardingEntries(of: interface).isEmpty)
        #expect(try routes.neighbours().filter { $0.interface == interface }.isEmpty)
    }
}
