import SlimNetlink
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

@testable import SlimOverlay

struct OverlayContainerTests {
    @Test func `detaching takes the interface away, any number of times`() throws {
        let pair = try HostPair()
        try pair.establish()
        let a1 = try TestNamespace()
        let before = try Snapshot(pair.hostA)
        let given = HostPair.addresses(host: 1, container: 2)
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: given)
        #expect(try RouteSocket(in: a1.handle).link(named: "eth0") != nil)
        for _ in 0..<2 { try pair.a.detach(container: "a1", addresses: given) }
        #expect(try RouteSocket(in: a1.handle).link(named: "eth0") == nil)
        let after = try Snapshot(pair.hostA)
        #expect(after == before)
    }

    @Test func `a container that comes back in another namespace moves there`() throws {
        let pair = try HostPair()
        try pair.establish()
        let old = try TestNamespace()
        let new = try TestNamespace()
        let given = HostPair.addresses(host: 1, container: 2)
        try pair.a.attach(namespace: old.handle, container: "a1", addresses: given)
        #expect(try ping(given[0], from: pair.hostA))
        try pair.a.attach(namespace: new.handle, container: "a1", addresses: given)
        #expect(try RouteSocket(in: old.handle).link(named: "eth0") == nil)
        #expect(try ping(given[0], from: pair.hostA))
        #expect(try ping(given[1], from: pair.hostA))
    }

    @Test func `other addresses replace those of before`() throws {
        let pair = try HostPair()
        try pair.establish()
        let a1 = try TestNamespace()
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: HostPair.addresses(host: 1, container: 2))
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: [address("10.32.1.9")])
        let routes = try RouteSocket(in: a1.handle)
        let eth0 = try routes.index(of: "eth0")
        let present = try routes.addresses().filter { $0.interface == eth0 && !$0.isLinkLocal }
        #expect(present.map(\.description) == ["10.32.1.9/32"])
        #expect(try routes.routes().filter { $0.destination.length == 0 }.map(\.gateway) == [address("10.32.1.1")])
        #expect(try ping(address("10.32.1.9"), from: pair.hostA))
        let known = try RouteSocket(in: pair.hostA.handle).neighbours().map(\.address)
        #expect(!known.contains(address("10.32.1.2")) && known.contains(address("10.32.1.9")))
    }

    @Test func `what cannot be attached is refused in one line and leaves nothing behind`() throws {
        let pair = try HostPair()
        try pair.establish()
        let before = try Snapshot(pair.hostA)
        let taken = try TestNamespace()
        try RouteSocket(in: taken.handle).createBridge("eth0")
        let free = try TestNamespace()
        let good = HostPair.addresses(host: 1, container: 2)
        func refusal(_ container: String, _ addresses: [IPAddress], _ namespace: TestNamespace) -> OverlayError? {
            do throws(OverlayError) {
                try pair.a.attach(namespace: namespace.handle, container: container, addresses: addresses)
                return nil
            } catch { return error }
        }
        #expect(refusal("c", good, taken)?.code == .conflict)
        #expect(refusal("c", good, pair.hostA)?.code == .conflict)
        #expect(refusal("c", [address("10.32.2.2")], free)?.code == .address)
        #expect(refusal("c", [address("10.32.1.1")], free)?.code == .address)
        #expect(refusal("c", [], free)?.code == .address)
        #expect(refusal("", good, free)?.code == .address)
        #expect(refusal(String(repeating: "c", count: 300), good, free)?.code == .address)
        #expect(
            refusal("c", [address("10.32.2.2")], free)?.message
                == "container c: address 10.32.2.2 is not in this host's 10.32.1.0/24 and fd00:32:0:1::/64; "
                + "choose one that is"
        )
        let after = try Snapshot(pair.hostA)
        #expect(after == before)
    }

    @Test func `interface names fit, differ, and are always the same`() {
        let names = ["a", "a1", "h1c1", "h1c2", String(repeating: "long", count: 50)].map {
            ContainerLink(container: $0).name
        }
        #expect(names.allSatisfy { $0.utf8.count == 15 })
        #expect(Set(names).count == names.count)
        #expect(ContainerLink(container: "h1c1").name == ContainerLink(container: "h1c1").name)
    }
}
