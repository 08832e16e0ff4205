import Glibc
import SlimSystem
import SystemPackage
import Testing

struct SocketOptionsTests {
    private static func value(_ level: CInt, _ name: CInt, of fd: CInt) -> CInt {
        var value: CInt = -1
        var length = socklen_t(4)
        getsockopt(fd, level, name, &value, &length)
        return value
    }

    private static func set(_ level: CInt, _ name: CInt, _ value: CInt, on fd: CInt) throws {
        var value = value
        try systemCall { setsockopt(fd, level, name, &value, 4) }
    }

    private static let tcp = CInt(IPPROTO_TCP)
    private static let examples: [(CInt, CInt, CInt)] = [
        (SOL_SOCKET, SO_KEEPALIVE, 1), (SOL_SOCKET, SO_OOBINLINE, 1), (SOL_SOCKET, SO_RCVLOWAT, 7),
        (SOL_SOCKET, SO_ZEROCOPY, 1),
        (tcp, TCP_NODELAY, 1), (tcp, TCP_CORK, 1), (tcp, TCP_KEEPIDLE, 11), (tcp, TCP_KEEPINTVL, 12),
        (tcp, TCP_KEEPCNT, 3), (tcp, TCP_SYNCNT, 2),
        (tcp, TCP_USER_TIMEOUT, 4321), (tcp, TCP_NOTSENT_LOWAT, 16384), (CInt(IPPROTO_IP), IP_TOS, 16),
        (CInt(IPPROTO_IP), IP_TTL, 9),
        (SOL_SOCKET, SO_RCVBUF, 50_000), (SOL_SOCKET, SO_SNDBUF, 60_000),
    ]

    @Test(arguments: [KernelAddress.Family.v4, .v6]) func `two new sockets have the same options`(
        family: KernelAddress.Family
    ) throws {
        let one = try StreamSocket.open(family, nonblocking: false)
        let other = try StreamSocket.open(family, nonblocking: false)
        #expect(
            SocketOptions(of: one.raw, family: family).changed(from: SocketOptions(of: other.raw, family: family))
                .isEmpty)
    }

    @Test(arguments: [KernelAddress.Family.v4, .v6]) func `what was changed is found and set on another socket`(
        family: KernelAddress.Family
    ) throws {
        let original = try StreamSocket.open(family, nonblocking: false)
        let host = try StreamSocket.open(family, nonblocking: false)
        let defaults = SocketOptions(of: host.raw, family: family)
        var examples = Self.examples
        if family == .v6 {
            examples += [(CInt(IPPROTO_IPV6), IPV6_TCLASS, 32), (CInt(IPPROTO_IPV6), IPV6_UNICAST_HOPS, 5)]
        }
        for (level, name, value) in examples { try Self.set(level, name, value, on: original.raw) }
        var stay = linger(l_onoff: 1, l_linger: 5)
        try systemCall { setsockopt(original.raw, SOL_SOCKET, SO_LINGER, &stay, socklen_t(MemoryLayout<linger>.size)) }
        let changed = SocketOptions(of: original.raw, family: family).changed(from: defaults)
        #expect(!changed.isEmpty)
        changed.apply(to: host.raw)
        for (level, name, _) in examples {
            #expect(
                Self.value(level, name, of: host.raw) == Self.value(level, name, of: original.raw),
                "level \(level), option \(name)")
        }
        #expect(
            SocketOptions(of: host.raw, family: family).changed(from: SocketOptions(of: original.raw, family: family))
                .isEmpty)
    }

    @Test func `buffers larger than the limit are carried over`() throws {
        let original = try StreamSocket.open(.v4, nonblocking: false)
        let host = try StreamSocket.open(.v4, nonblocking: false)
        let defaults = SocketOptions(of: host.raw, family: .v4)
        try Self.set(SOL_SOCKET, SO_RCVBUFFORCE, 20 << 20, on: original.raw)
        SocketOptions(of: original.raw, family: .v4).changed(from: defaults).apply(to: host.raw)
        #expect(Self.value(SOL_SOCKET, SO_RCVBUF, of: host.raw) == 40 << 20)
    }

    @Test func `what concerns the container's own network stays behind`() throws {
        let original = try StreamSocket.open(.v4, nonblocking: false)
        let plain = try StreamSocket.open(.v4, nonblocking: false)
        for (name, value) in [(SO_REUSEADDR, 1), (SO_REUSEPORT, 1), (SO_PRIORITY, 5), (SO_MARK, 77)] as [(CInt, CInt)] {
            try Self.set(SOL_SOCKET, name, value, on: original.raw)
        }
        #expect(
            SocketOptions(of: original.raw, family: .v4).changed(from: SocketOptions(of: plain.raw, family: .v4))
                .isEmpty)
    }

    @Test func `a descriptor that is no socket has none`() { #expect(SocketOptions(of: -1, family: .v6).isEmpty) }
}
