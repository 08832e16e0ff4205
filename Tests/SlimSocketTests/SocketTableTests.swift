import CSlimABI
import CSlimSocket
import Testing

@testable import SlimSocket

/// What the library remembers of sockets; the tables are the process's, so each test has cookies of its own.
@Suite struct SocketTableTests {
    private func address(_ port: UInt16) -> slim_address {
        var address = slim_address()
        address.family = UInt16(SLIM_AF_INET)
        address.port = port
        return address
    }

    @Test func `addresses are found by cookie, and the last ones count`() {
        let cookie: UInt64 = 0x1000_0000_0001
        #expect(KnownSockets.find(cookie) == nil)
        KnownSockets.store(cookie, local: address(1), peer: address(2))
        #expect(KnownSockets.find(cookie)?.local.port == 1)
        #expect(KnownSockets.find(cookie)?.peer.port == 2)
        KnownSockets.store(cookie, local: address(3), peer: address(4))
        #expect(KnownSockets.find(cookie)?.local.port == 3)
        #expect(KnownSockets.find(cookie + 1) == nil)
    }

    @Test func `a socket without cookie is never known`() {
        KnownSockets.store(0, local: address(1), peer: address(2))
        #expect(KnownSockets.find(0) == nil)
        PristineSockets.add(0, family: SLIM_AF_INET)
        #expect(!PristineSockets.take(0, family: SLIM_AF_INET))
    }

    @Test func `more sockets than there is room for push others out and never mix them up`() {
        let first: UInt64 = 0x2000_0000_0000
        for index in 0..<UInt64(20_000) {
            KnownSockets.store(first + index, local: address(UInt16(index)), peer: address(UInt16(index) &+ 1))
        }
        var found = 0
        for index in 0..<UInt64(20_000) {
            guard let known = KnownSockets.find(first + index) else { continue }
            found += 1
            #expect(known.local.port == UInt16(index) && known.peer.port == UInt16(index) + 1)
        }
        #expect(found > Int(SLIM_KNOWN_SLOTS) / 2)
    }

    @Test func `threads that store and find see whole entries`() async {
        let first: UInt64 = 0x3000_0000_0000
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for round in 0..<20_000 {
                        let cookie = first + UInt64(round % 8)
                        if task % 2 == 0 {
                            let port = UInt16(round % 1000)
                            KnownSockets.store(cookie, local: self.address(port), peer: self.address(port))
                        } else if let known = KnownSockets.find(cookie), known.local.port != known.peer.port {
                            return false
                        }
                    }
                    return true
                }
            }
            for await isWhole in group { #expect(isWhole) }
        }
    }

    @Test func `a pristine socket is taken once, and only for its family`() {
        let cookie: UInt64 = 0x4000_0000_0001
        #expect(!PristineSockets.take(cookie, family: SLIM_AF_INET))
        PristineSockets.add(cookie, family: SLIM_AF_INET)
        #expect(!PristineSockets.take(cookie, family: SLIM_AF_INET6))
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET))
        #expect(!PristineSockets.take(cookie, family: SLIM_AF_INET))
        PristineSockets.add(cookie, family: SLIM_AF_INET6)
        let other = slim_socket(SLIM_AF_INET6, SLIM_SOCK_STREAM | SLIM_SOCK_CLOEXEC, 0)
        defer { _ = slim_close(other) }
        PristineSockets.remove(other)
        #expect(!PristineSockets.take(Kernel.cookie(other), family: SLIM_AF_INET6))
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET6))
    }

    @Test(arguments: [SLIM_AF_INET, SLIM_AF_INET6])
    func `a new TCP socket is pristine until an option is set, or it is bound, or listens`(family: CInt) {
        for change in 0..<5 {
            let fd = slim_socket(family, SLIM_SOCK_STREAM | SLIM_SOCK_CLOEXEC, 0)
            #expect(fd >= 0)
            defer { _ = slim_close(fd) }
            var value: CInt = 1
            var address = slim_bytes()
            withUnsafeMutableBytes(of: &address) { $0.storeBytes(of: UInt16(family), as: UInt16.self) }
            switch change {
            case 1: #expect(slim_setsockopt(fd, SLIM_IPPROTO_TCP, 1, &value, 4) == 0)
            case 4: #expect(slim_setsockopt(fd, SLIM_SOL_SOCKET, SLIM_SO_SNDBUF, &value, 4) == 0)
            case 2: #expect(slim_bind(fd, &address, 28) == 0)
            case 3: #expect(slim_listen(fd, 1) == 0)
            default: break
            }
            #expect(PristineSockets.take(Kernel.cookie(fd), family: family) == (change == 0), "change \(change)")
        }
    }

    @Test func `other sockets are never pristine`() {
        let datagram: CInt = 2
        let fd = slim_socket(SLIM_AF_INET, datagram, 0)
        #expect(!PristineSockets.take(Kernel.cookie(fd), family: SLIM_AF_INET))
        _ = slim_close(fd)
    }

    @Test func `memory that cannot be read is told, byte by byte`() {
        let page = 4096
        let readable = [UInt8](repeating: 1, count: 64)
        readable.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            for offset in 0..<8 { #expect(Kernel.isReadable(start + offset, 16)) }
        }
        if let wild = UnsafeRawPointer(bitPattern: 16) {
            slim_set_errno(7)
            #expect(!Kernel.isReadable(wild, 16))
            #expect(!Kernel.isReadable(wild + page, 1))
            #expect(slim_errno() == 7)
        }
    }
}
