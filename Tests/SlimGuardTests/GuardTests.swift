import CSlimGuard
import SlimRegistry
import Testing

@testable import SlimGuard

@Suite struct GuardTests {
    @Test func `the control group hierarchy is found among the mounts`() {
        let mounts = """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:7 - cgroup2 cgroup2 rw
            """
        #expect(ControlGroup.hierarchy(in: mounts) == "/sys/fs/cgroup/unified")
        #expect(ControlGroup.hierarchy(in: "31 23 0:28 / /sys/fs/cgroup rw - tmpfs cgroup2 rw") == nil)
    }

    @Test func `two routers have two control groups`() throws {
        let one = try ControlGroup.path(ofRouterIn: "/run/slim-a/b")
        #expect(one.hasSuffix("/slim/run-slim--a-b"))
        #expect(try ControlGroup.path(ofRouterIn: "/run/slim/a-b") != one)
    }

    @Test func `a tag tells the kernel addresses in network order and ports in host order`() {
        let tag = GuardTag(
            local: Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(40000)), peer: Endpoint(.anyV6, Port(80)),
            generation: 7,
            destination: Endpoint(IPAddress(v4: (192, 0, 2, 2)), Port(4800))
        ).cTag(fd: 5, cookie: 9)
        #expect(tag.fd == 5 && tag.cookie == 9 && tag.generation == 7)
        #expect(tag.flags == SLIM_GUARD_TAG_PREPARED.rawValue)
        #expect(tag.local.family == 2 && tag.local.port == 40000)
        #expect(withUnsafeBytes(of: tag.local.bytes) { Array($0.prefix(5)) } == [10, 32, 1, 2, 0])
        #expect(tag.peer.family == 10 && tag.peer.port == 80)
        #expect(withUnsafeBytes(of: tag.destination.bytes) { Array($0.prefix(4)) } == [192, 0, 2, 2])
    }

    @Test func `without a destination a socket may be connected to nowhere`() {
        let nowhere = Endpoint(.anyV4, Port(0))
        let tag = GuardTag(local: nowhere, peer: nowhere, generation: 0).cTag(fd: 0, cookie: 0)
        #expect(tag.flags == 0 && tag.destination.family == 0)
    }

    @Test func `the filter is a whole program`() {
        let program = ContainerFilter.program
        #expect(!program.isEmpty && program.count.isMultiple(of: MemoryLayout<sock_filter>.size))
    }
}
