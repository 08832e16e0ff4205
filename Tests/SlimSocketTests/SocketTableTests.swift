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
        #expect(PristineSockets.take(0, family: SLIM_AF_INET) == nil)
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
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET) == nil)
        PristineSockets.add(cookie, family: SLIM_AF_INET)
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET6) == nil)
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET) == 0)
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET) == nil)
        PristineSockets.add(cookie, family: SLIM_AF_INET6)
        let other = slim_socket(SLIM_AF_INET6, SLIM_SOCK_STREAM | SLIM_SOCK_CLOEXEC, 0)
        defer { _ = slim_close(other) }
        PristineSockets.remove(other)
        #expect(PristineSockets.take(Kernel.cookie(other), family: SLIM_AF_INET6) == nil)
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET6) == 0)
    }

    @Test(arguments: [SLIM_AF_INET, SLIM_AF_INET6])
    func `a new TCP socket is pristine until it is bound, or listens, or an option is set that cannot be carried over`(
        family: CInt
    ) {
        let nodelay: CInt = 1
        let cork: CInt = 3
        for change in 0..<7 {
            let fd = slim_socket(family, SLIM_SOCK_STREAM | SLIM_SOCK_CLOEXEC, 0)
            #expect(fd >= 0)
            defer { _ = slim_close(fd) }
            var value: CInt = 1
            var address = slim_bytes()
            withUnsafeMutableBytes(of: &address) { $0.storeBytes(of: UInt16(family), as: UInt16.self) }
            func set(_ level: CInt, _ name: CInt) { #expect(slim_setsockopt(fd, level, name, &value, 4) == 0) }
            var expected: PristineSockets.Changes?
            switch change {
            case 1: #expect(slim_bind(fd, &address, 28) == 0)
            case 2: #expect(slim_listen(fd, 1) == 0)
            case 3: set(SLIM_SOL_SOCKET, SLIM_SO_SNDBUF)
            case 4:
                set(SLIM_IPPROTO_TCP, nodelay)
                set(SLIM_IPPROTO_TCP, cork)
                set(SLIM_IPPROTO_TCP, nodelay)
            case 5:
                set(SLIM_SOL_SOCKET, SLIM_SO_REUSEADDR)
                set(SLIM_IPPROTO_TCP, nodelay)
                expected = 1
            default: expected = 0
            }
            #expect(PristineSockets.take(Kernel.cookie(fd), family: family) == expected, "change \(change)")
        }
    }

    @Test func `what was changed is told option by option, and is the number of no other socket`() {
        let fd = slim_socket(SLIM_AF_INET, SLIM_SOCK_STREAM | SLIM_SOCK_CLOEXEC, 0)
        defer { _ = slim_close(fd) }
        var count = 0
        guard let kept = slim_kept_options(&count) else { return }
        let carried = Int(SLIM_CARRIED_OPTIONS)
        #expect(carried < count)
        for index in 0..<carried {
            var value = slim_bytes()
            var length: UInt32 = 16
            #expect(slim_getsockopt(fd, kept[index].level, kept[index].name, &value, &length) == 0)
            #expect(slim_setsockopt(fd, kept[index].level, kept[index].name, &value, length) == 0)
        }
        let cookie = Kernel.cookie(fd)
        #expect(PristineSockets.take(cookie ^ 1 << 40, family: SLIM_AF_INET) == nil)
        #expect(PristineSockets.take(cookie, family: SLIM_AF_INET) == 1 << UInt64(carried) - 1)
    }

    @Test func `a filter is asked about every option that is carried over`() {
        var (count, callCount) = (0, 0)
        guard let kept = slim_kept_options(&count), let calls = slim_own_calls(&callCount) else { return }
        for index in 0..<Int(SLIM_CARRIED_OPTIONS) {
            let found = (0..<callCount).filter {
                let arguments = calls[$0].data.arguments
                return arguments.1 == UInt64(kept[index].level) && arguments.2 == UInt64(kept[index].name)
            }
            #expect(found.count == 2, "option \(kept[index].level) \(kept[index].name): getsockopt and setsockopt")
        }
    }

    @Test func `other sockets are never pristine`() {
        let datagram: CInt = 2
        let fd = slim_socket(SLIM_AF_INET, datagram, 0)
        #expect(PristineSockets.take(Kernel.cookie(fd), family: SLIM_AF_INET) == nil)
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
