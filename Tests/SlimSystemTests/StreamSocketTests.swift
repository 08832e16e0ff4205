import Glibc
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

struct StreamSocketTests {
    @Test func `only TCP over IP has a family`() throws {
        let v4 = try StreamSocket.open(.v4, nonblocking: false)
        let v6 = try StreamSocket.open(.v6, nonblocking: false)
        #expect(StreamSocket.family(v4.raw) == .v4)
        #expect(StreamSocket.family(v6.raw) == .v6)
        let pair = try LocalSocket.connected()
        #expect(StreamSocket.family(pair.one.raw) == nil)
        #expect(StreamSocket.family(-1) == nil)
        for (domain, type) in [
            (AF_INET, SOCK_DGRAM), (AF_INET6, SOCK_DGRAM), (AF_INET, SOCK_RAW), (AF_UNIX, SOCK_STREAM),
            (AF_NETLINK, SOCK_RAW),
        ] {
            let other = OwnedDescriptor(
                socket(domain, CInt(type.rawValue), domain == AF_INET && type == SOCK_RAW ? 1 : 0))
            #expect(StreamSocket.family(other.raw) == nil)
            #expect(!StreamSocket.isListening(other.raw))
        }
        let file = try FileDescriptor.open("/dev/null", .readOnly)
        defer { try? file.close() }
        #expect(StreamSocket.family(file.rawValue) == nil)
    }

    @Test func `an identity is the same through dup, and no other socket's`() throws {
        let one = try StreamSocket.open(.v4, nonblocking: false)
        let copy = try one.duplicate()
        let other = try StreamSocket.open(.v4, nonblocking: false)
        #expect(try StreamSocket.cookie(one.raw) == StreamSocket.cookie(copy.raw))
        #expect(try StreamSocket.cookie(one.raw) != StreamSocket.cookie(other.raw))
    }

    @Test func `what is accepted has its listener's congestion control`() throws {
        let listener = try StreamSocket.open(.v4, nonblocking: false)
        try StreamSocket.setCongestionControl(listener.raw, "reno")
        #expect(try StreamSocket.congestionControl(listener.raw) == "reno")
        let loopback = try #require(KernelAddress(Endpoint(IPAddress(v4: (127, 0, 0, 1)), Port(0)), for: .v4))
        try StreamSocket.bind(listener.raw, to: loopback)
        try StreamSocket.listen(listener.raw, backlog: 1)
        let connected = try StreamSocket.open(.v4, nonblocking: false)
        try StreamSocket.connect(connected.raw, to: try StreamSocket.localAddress(listener.raw))
        var peer = KernelAddress()
        guard let accepted = try StreamSocket.accept(listener.raw, peer: &peer) else {
            Issue.record("nothing was accepted")
            return
        }
        #expect(try StreamSocket.congestionControl(accepted.raw) == "reno")
        #expect(
            try StreamSocket.peerAddress(connected.raw).endpoint == StreamSocket.localAddress(listener.raw).endpoint)
        #expect(throws: Errno.self) { try StreamSocket.setCongestionControl(listener.raw, "no such") }
    }

    @Test func `non-blocking can be switched both ways`() throws {
        let socket = try StreamSocket.open(.v4, nonblocking: false)
        for nonblocking in [true, true, false, false, true] {
            try StreamSocket.setNonblocking(socket.raw, nonblocking)
            #expect((fcntl(socket.raw, F_GETFL) & O_NONBLOCK != 0) == nonblocking)
        }
    }

    @Test func `accept on an idle listener is nil, and on no listener an error`() throws {
        let listener = try StreamSocket.open(.v4, nonblocking: true)
        try StreamSocket.listen(listener.raw, backlog: 1)
        var peer = KernelAddress()
        let isIdle = try StreamSocket.accept(listener.raw, peer: &peer) == nil
        #expect(isIdle)
        #expect(throws: Errno.invalidArgument) {
            let socket = try StreamSocket.open(.v4, nonblocking: true)
            _ = try StreamSocket.accept(socket.raw, peer: &peer)?.raw
        }
    }
}
