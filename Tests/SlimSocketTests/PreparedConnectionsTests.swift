import CSlimABI
import CSlimSocket
import Glibc
import Testing

@testable import SlimSocket

/// Queues of prepared connections, with a router that the test plays.
@Suite(.serialized) struct PreparedConnectionsTests {
    private let queue: CInt
    private let router: CInt
    private let listener: CInt
    private var listening = sockaddr_in()
    private let destination: slim_address

    init() throws {
        // What belongs to a process that has a connection to the router.
        let state = try #require(slim_link_state())
        state.pointee.cookie = 0x7777
        var ends: [CInt] = [-1, -1]
        try #require(slim_pair(&ends) == 0)
        (router, queue) = (ends[0], ends[1])
        // As the router does: what is never read makes the end known before what is left.
        var byte: UInt8 = 0
        try #require(slim_send(queue, &byte, 1, -1) == 1)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        listening.sin_family = sa_family_t(AF_INET)
        listening.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (fd, size) = (listener, length)
        let bound = withUnsafeMutablePointer(to: &listening) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(fd, address, size) == 0 && listen(fd, 16) == 0 && getsockname(fd, address, &length) == 0
            }
        }
        try #require(bound)
        var address = slim_address()
        address.family = UInt16(SLIM_AF_INET)
        address.port = UInt16.random(in: 1...65_535)
        address.bytes.0 = UInt8.random(in: 1...223)
        destination = address
    }

    private func end() {
        close(router)
        close(listener)
    }

    /// A socket that connects to the listener when it is first written to.
    private func hostSocket() throws -> CInt {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0)
        var on: CInt = 1
        setsockopt(fd, CInt(IPPROTO_TCP), TCP_FASTOPEN_NO_COOKIE, &on, socklen_t(MemoryLayout<CInt>.size))
        setsockopt(fd, CInt(IPPROTO_TCP), TCP_FASTOPEN_CONNECT, &on, socklen_t(MemoryLayout<CInt>.size))
        var address = listening
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0)
        return fd
    }

    private func prepare(_ port: UInt16, for destination: slim_address? = nil, deadline: UInt64 = .max) throws {
        let fd = try hostSocket()
        var message = slim_prepared()
        message.header.magic = UInt32(SLIM_ABI_MAGIC)
        message.header.version = UInt16(SLIM_ABI_VERSION)
        message.header.operation = UInt16(SLIM_OP_PREPARED.rawValue)
        message.header.flags = SLIM_PREPARED_NONBLOCK.rawValue
        message.cookie = Kernel.cookie(fd)
        message.deadline = deadline
        message.local.family = UInt16(SLIM_AF_INET)
        message.local.port = port
        message.peer = destination ?? self.destination
        message.preamble.0 = 0x53
        let size = MemoryLayout<slim_prepared>.size
        try #require(slim_send(router, &message, size, fd) == size)
        close(fd)
    }

    /// Connects as the library does: the port that the router has chosen, or `nil` where it would ask.
    private func connectedPort(isNonblocking: Bool = false) -> UInt16? {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        guard
            let connection = PreparedConnections.queue(for: destination)?.take(isNonblocking: isNonblocking),
            connection.replace(fd, Kernel.cookie(fd), 0)
        else { return nil }
        #expect((Kernel.statusFlags(fd) ?? 0) & SLIM_O_NONBLOCK == (isNonblocking ? SLIM_O_NONBLOCK : 0))
        return KnownSockets.find(Kernel.cookie(fd))?.local.port
    }

    @Test func `connections are taken in order, and each begins with its preamble`() throws {
        defer { end() }
        PreparedConnections.add(queue, for: destination)
        for port in 1...3 as ClosedRange<UInt16> { try prepare(port) }
        for port in 1...3 as ClosedRange<UInt16> {
            #expect(connectedPort(isNonblocking: port == 2) == port)
            let server = accept(listener, nil, nil)
            var bytes = [UInt8](repeating: 0, count: 128)
            #expect(recv(server, &bytes, bytes.count, 0) == Int(SLIM_PREAMBLE_LENGTH))
            #expect(bytes[0] == 0x53)
            close(server)
        }
        #expect(connectedPort() == nil)
        #expect(PreparedConnections.queue(for: destination) != nil, "an empty queue is still one")
    }

    @Test func `what is too old, or for another destination, is passed over`() throws {
        defer { end() }
        PreparedConnections.add(queue, for: destination)
        var other = destination
        other.port ^= 1
        try prepare(1, deadline: slim_nanoseconds() / 1_000_000)
        try prepare(2, for: other)
        try prepare(3)
        #expect(connectedPort() == 3)
        #expect(PreparedConnections.queue(for: other) == nil)
    }

    @Test func `of a queue that the router has ended nothing is used, and its descriptor is closed`() throws {
        PreparedConnections.add(queue, for: destination)
        let number = try #require(
            slim_queue_table().map { table in
                (0..<Int(SLIM_QUEUE_SLOTS)).first { table[$0].destination.isSame(as: destination) }.map {
                    table[$0].descriptor
                }
            } ?? nil)
        #expect(number > 900 && Kernel.isCloseOnExec(number))
        try prepare(1)
        end()
        #expect(connectedPort() == nil)
        #expect(PreparedConnections.queue(for: destination) == nil)
        #expect(fcntl(number, F_GETFD) == -1)
    }

    @Test func `a number that the program has closed and uses itself is left alone`() throws {
        defer { end() }
        PreparedConnections.add(queue, for: destination)
        try prepare(1)
        let slot = try #require(
            (0..<Int(SLIM_QUEUE_SLOTS)).first {
                slim_queue_table()[$0].destination.isSame(as: destination)
            })
        let number = slim_queue_table()[slot].descriptor
        var own: [CInt] = [-1, -1]
        try #require(slim_pair(&own) == 0)
        try #require(dup2(own[0], number) == number)
        var byte: UInt8 = 42
        try #require(slim_send(own[1], &byte, 1, -1) == 1)
        #expect(connectedPort() == nil)
        #expect(recv(number, &byte, 1, nowait) == 1 && byte == 42, "the program's message is still there")
        for fd in own + [number] { close(fd) }
    }

    @Test func `a queue does not outlive the connection that it came by`() throws {
        defer { end() }
        PreparedConnections.add(queue, for: destination)
        try prepare(1)
        slim_link_state().pointee.cookie = 0x8888
        #expect(PreparedConnections.queue(for: destination) == nil)
        slim_link_state().pointee.cookie = 0
        #expect(PreparedConnections.queue(for: destination) == nil)
    }

    @Test func `more queues than there is room for push others out`() throws {
        defer { end() }
        var rest: [CInt] = []
        for port in 1...20 as ClosedRange<UInt16> {
            var ends: [CInt] = [-1, -1]
            try #require(slim_pair(&ends) == 0)
            var address = destination
            address.port = port
            PreparedConnections.add(ends[1], for: address)
            rest.append(ends[0])
            #expect(PreparedConnections.queue(for: address) != nil)
        }
        close(queue)
        for fd in rest { close(fd) }
    }

    private var nowait: CInt { CInt(MSG_DONTWAIT) }
}
