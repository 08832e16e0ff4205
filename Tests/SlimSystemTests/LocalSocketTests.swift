import Glibc
import SlimSystem
import SystemPackage
import Testing

extension LocalSocket {
    /// A connected pair, owned.
    struct Pair: ~Copyable {
        let one: OwnedDescriptor
        let other: OwnedDescriptor
    }

    static func connected() throws(Errno) -> Pair {
        let both = try pair()
        return Pair(one: OwnedDescriptor(both.0), other: OwnedDescriptor(both.1))
    }
}

/// What `#require` does, for what cannot be copied.
func unwrapped<Value: ~Copyable>(_ value: consuming Value?, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> Value
{
    switch consume value {
    case .some(let value): return value
    case nil:
        Issue.record("there is nothing", sourceLocation: sourceLocation)
        throw Errno.noData
    }
}

/// Sends bytes with any number of descriptors, as a hostile program does.
func send(_ bytes: [UInt8], to fd: CInt, passing descriptors: [CInt]) -> Int {
    let space = (descriptors.count * 4 + 7) / 8 * 8 + 16
    return withUnsafeTemporaryAllocation(byteCount: space, alignment: 8) { control in
        control.initializeMemory(as: UInt8.self, repeating: 0)
        control.storeBytes(of: 16 + descriptors.count * 4, as: Int.self)
        control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: CInt.self)
        control.storeBytes(of: 1, toByteOffset: 12, as: CInt.self)
        for (index, descriptor) in descriptors.enumerated() {
            control.storeBytes(of: descriptor, toByteOffset: 16 + index * 4, as: CInt.self)
        }
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { data in
            var vector = iovec(iov_base: data.baseAddress, iov_len: data.count)
            return withUnsafeMutablePointer(to: &vector) { vector in
                var message = msghdr()
                message.msg_iov = vector
                message.msg_iovlen = 1
                if !descriptors.isEmpty {
                    message.msg_control = control.baseAddress
                    message.msg_controllen = space
                }
                return sendmsg(fd, &message, CInt(MSG_DONTWAIT))
            }
        }
    }
}

/// One after the other: they count the process's descriptors.
@Suite(.serialized) struct LocalSocketTests {
    private struct Message: BitwiseCopyable {
        var number: UInt64 = 0x1122_3344_5566_7788
    }

    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)

    @Test func `a message arrives whole, and nothing is nil`() throws {
        let pair = try LocalSocket.connected()
        let nothing = try LocalSocket.receive(from: pair.one.raw, into: room) == nil
        #expect(nothing)
        try LocalSocket.send(Message(), to: pair.other.raw)
        let received = try unwrapped(try LocalSocket.receive(from: pair.one.raw, into: room))
        let (bytes, descriptors) = (received.byteCount, received.descriptorCount)
        #expect(bytes == 8)
        #expect(descriptors == 0)
        let isTruncated = received.isTruncated
        #expect(!isTruncated)
        let isBare = received.descriptor == nil
        #expect(isBare)
        #expect(room.load(as: UInt64.self) == 0x1122_3344_5566_7788)
    }

    @Test func `the end of the connection is an empty message, and sending to it an error`() throws {
        let both = try LocalSocket.pair()
        let one = OwnedDescriptor(both.0)
        _ = OwnedDescriptor(both.1)
        let end = try unwrapped(try LocalSocket.receive(from: one.raw, into: room)).byteCount
        #expect(end == 0)
        #expect(throws: Errno.brokenPipe) { try LocalSocket.send(Message(), to: one.raw) }
    }

    @Test func `a full queue is an error, not a wait`() throws {
        let pair = try LocalSocket.connected()
        try LocalSocket.setSendBuffer(pair.one.raw, bytes: 1)
        #expect(throws: Errno.wouldBlock) { for _ in 0..<10_000 { try LocalSocket.send(Message(), to: pair.one.raw) } }
    }

    @Test func `a descriptor is passed: the same socket, closed at exec, taken once`() throws {
        let pair = try LocalSocket.connected()
        let passed = try StreamSocket.open(.v4, nonblocking: false)
        try LocalSocket.send(Message(), to: pair.one.raw, passing: passed.raw)
        var received = try unwrapped(try LocalSocket.receive(from: pair.other.raw, into: room))
        let descriptors = received.descriptorCount
        #expect(descriptors == 1)
        let taken = try unwrapped(received.takeDescriptor())
        #expect(taken.raw != passed.raw)
        #expect(try StreamSocket.cookie(taken.raw) == StreamSocket.cookie(passed.raw))
        #expect(fcntl(taken.raw, F_GETFD) & FD_CLOEXEC != 0)
        let isTaken = received.takeDescriptor() == nil
        #expect(isTaken)
    }

    @Test(arguments: [0, 1, 2, 3, 8, 9, 20, 253]) func `descriptors that nobody takes do not stay open`(count: Int)
        throws
    {
        let pair = try LocalSocket.connected()
        let file = try #require(try? FileDescriptor.open("/dev/null", .readOnly))
        defer { try? file.close() }
        let before = openNulls()
        #expect(send([1, 2, 3], to: pair.one.raw, passing: [CInt](repeating: file.rawValue, count: count)) == 3)
        do {
            let received = try unwrapped(try LocalSocket.receive(from: pair.other.raw, into: room))
            let (bytes, descriptors) = (received.byteCount, received.descriptorCount)
            #expect(bytes == 3)
            #expect(count < 2 ? descriptors == count : descriptors > 1)
            let hasOne = received.descriptor != nil
            #expect(hasOne == (count > 0))
            #expect(openNulls() == before + count)
        }
        #expect(openNulls() == before)
    }

    @Test(arguments: [0, 1, 3]) func `a message that does not fit is told to be truncated`(count: Int) throws {
        let pair = try LocalSocket.connected()
        let file = try #require(try? FileDescriptor.open("/dev/null", .readOnly))
        defer { try? file.close() }
        let before = openNulls()
        #expect(
            send(
                [UInt8](repeating: 7, count: 17), to: pair.one.raw,
                passing: [CInt](repeating: file.rawValue, count: count)) == 17)
        do {
            let received = try unwrapped(try LocalSocket.receive(from: pair.other.raw, into: room))
            let isTruncated = received.isTruncated
            #expect(isTruncated)
        }
        #expect(openNulls() == before)
    }

    @Test func `a name belongs to one listener, and to its namespace`() throws {
        let name = "@slim-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let listener = try LocalSocket.listener(at: name)
        #expect(throws: Errno.addressInUse) { _ = try LocalSocket.listener(at: name).raw }
        let isIdle = try LocalSocket.accept(listener.raw) == nil
        #expect(isIdle)
        let client = try LocalSocket.connect(to: name)
        let server = try unwrapped(try LocalSocket.accept(listener.raw))
        #expect(fcntl(server.raw, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(server.raw, F_GETFD) & FD_CLOEXEC != 0)
        try LocalSocket.send(Message(), to: client.raw)
        let count = try unwrapped(try LocalSocket.receive(from: server.raw, into: room)).byteCount
        #expect(count == 8)
        try onNewNetwork { () throws(Errno) in
            do throws(Errno) { _ = try LocalSocket.connect(to: name).raw } catch {
                if error != .connectionRefused { throw error }
                return
            }
            throw .fileExists
        }
    }

    @Test func `names that no address holds are refused`() {
        #expect(throws: Errno.fileNameTooLong) { _ = try LocalSocket.listener(at: "").raw }
        #expect(throws: Errno.fileNameTooLong) {
            _ = try LocalSocket.listener(at: "@" + String(repeating: "a", count: 108)).raw
        }
        #expect(throws: Errno.connectionRefused) { _ = try LocalSocket.connect(to: "@slim-nobody-\(getpid())").raw }
    }

    private func openNulls() -> Int {
        (0..<1024).count { number in
            var name = [CChar](repeating: 0, count: 32)
            let count = readlink("/proc/self/fd/\(number)", &name, 31)
            return count == 9 && name.starts(with: "/dev/null".utf8.map { CChar($0) })
        }
    }
}
