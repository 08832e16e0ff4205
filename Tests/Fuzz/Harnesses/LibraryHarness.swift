import CSlimABI
import CSlimSocket
import Glibc

@testable import SlimSocket

/// What a router, or whoever sits in its place, can send into a program: answers, accepted and prepared connections, names of
/// channels; and the seccomp filters that the library runs itself.
///
/// All of it comes in before the program asks: one thread does everything, and nothing waits.
final class LibraryHarness: Harness {
    static let name = "library"
    static let longest = 1024
    static let words = [
        "SLIM\u{1}\0", "\u{1}\0\u{2}\0", "\u{1}\0\u{3}\0", "\u{1}\0\u{7}\0", "slim-listener/", "\u{2}\0\u{50}\0",
    ]

    enum Part: UInt8, CaseIterable { case connect, listen, lookUp, prepared, name, filter }

    private let destination: slim_address
    private let target: [UInt8]

    init() throws {
        var address = slim_address()
        address.family = UInt16(SLIM_AF_INET)
        address.port = 9
        withUnsafeMutableBytes(of: &address.bytes) { $0.copyBytes(from: [127, 0, 0, 9]) }
        destination = address
        // Where nobody listens: the plain call fails at once.
        target = [UInt8(AF_INET), 0, 0, 9, 10, 32, 2, 2] + [UInt8](repeating: 0, count: 8)
        setenv("SLIM_ROUTER", "@slim-fuzz-nobody", 1)
        try require(slim_link_state() != nil && slim_router_state() != nil, "no memory")
    }

    static func seeds() -> [[UInt8]] {
        func header(_ operation: slim_operation, _ sequence: UInt32) -> slim_header {
            slim_header(
                magic: UInt32(SLIM_ABI_MAGIC), version: UInt16(SLIM_ABI_VERSION), operation: UInt16(operation.rawValue),
                sequence: sequence, flags: 0)
        }
        func sent(_ message: some BitwiseCopyable, _ descriptors: UInt8) -> [UInt8] {
            let bytes = withUnsafeBytes(of: message) { Array($0) }
            return [descriptors, UInt8(bytes.count)] + bytes
        }
        var greeting = slim_greeting()
        greeting.header = header(SLIM_OP_GREETING, 0)
        greeting.namespace_cookie = 5
        greeting.prefix_count = 1
        greeting.prefixes.0 = slim_prefix(family: UInt16(SLIM_AF_INET), length: 16, bytes: destinationBytes([10, 32]))
        var done = slim_reply()
        done.header = header(SLIM_OP_CONNECT, 1)
        done.cookie = 7
        var refused = done
        refused.verdict = SLIM_VERDICT_REFUSED.rawValue
        refused.error = SLIM_ECONNREFUSED
        var prepared = slim_prepared()
        prepared.header = header(SLIM_OP_PREPARED, 0)
        prepared.cookie = 9
        prepared.deadline = .max
        prepared.peer.family = UInt16(SLIM_AF_INET)
        prepared.peer.port = 9
        prepared.peer.bytes = destinationBytes([127, 0, 0, 9])
        var name = [UInt8](repeating: 0, count: Int(SLIM_CHANNEL_NAME_LENGTH))
        name.withUnsafeMutableBytes { Channel.write(number: 3, prepared.peer, into: $0) }
        let filter: [UInt8] = [
            0x20, 0, 0, 0, 0, 0, 0, 0, 0x15, 0, 0, 1, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0xff, 0x7f, 6, 0, 0, 0, 0, 0, 0, 0,
        ]
        return [
            [Part.connect.rawValue] + sent(greeting, 0) + sent(done, 1), [Part.connect.rawValue] + sent(done, 2),
            [Part.connect.rawValue] + sent(refused, 0), [Part.listen.rawValue] + sent(done, 1),
            [Part.lookUp.rawValue] + sent(done, 0), [Part.prepared.rawValue] + sent(prepared, 1) + sent(prepared, 1),
            [Part.name.rawValue, 1, 0, 0] + name, [Part.filter.rawValue] + filter,
        ]
    }

    private static func destinationBytes(_ first: [UInt8]) -> (
        UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
    ) {
        var address = slim_address()
        withUnsafeMutableBytes(of: &address.bytes) { $0.copyBytes(from: first) }
        return address.bytes
    }

    func run(_ input: UnsafeRawBufferPointer) throws {
        let before = Self.firstFree()
        var reader = InputReader(input)
        let part = Part.allCases[Int(reader.byte()) % Part.allCases.count]
        switch part {
        case .connect, .listen, .lookUp: try ask(part, &reader)
        case .prepared: try takePrepared(&reader)
        case .name: try readName(reader.remaining())
        case .filter: filter(reader.remaining())
        }
        let after = Self.firstFree()
        try require(before == after, "\(part): a descriptor is left open: \(before) were free, now \(after)")
    }

    /// More than an input needs: one that is left open makes a hole in them, or a higher one the last.
    private static func firstFree() -> [CInt] {
        let free = (0..<32).map { _ in dup(0) }
        for fd in free { close(fd) }
        return free
    }

    // MARK: Answers

    private func ask(_ part: Part, _ reader: inout InputReader) throws {
        guard let link = slim_link_state(), let router = slim_router_state() else { return }
        var ends: [CInt] = [-1, -1]
        try require(slim_pair(&ends) == 0, "no pair")
        defer { for fd in ends where fcntl(fd, F_GETFD) >= 0 { close(fd) } }
        feed(&reader, to: ends[0])
        // The end is known after what was sent; what is asked still goes out.
        shutdown(ends[0], CInt(SHUT_WR))
        (link.pointee.descriptor, link.pointee.cookie) = (ends[1], Kernel.cookie(ends[1]))
        (link.pointee.sequence, link.pointee.busy) = (0, 0)
        (router.pointee.greeted, router.pointee.silent_until, router.pointee.inherited_cookie) = (0, 0, 0)
        let fd = slim_socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        defer { close(fd) }
        switch part {
        case .connect: _ = target.withUnsafeBytes { slim_connect(fd, $0.baseAddress, UInt32($0.count)) }
        case .listen: _ = slim_listen(fd, 4)
        default: RouterLink.ask(SLIM_OP_LOOKUP, passing: fd)?.discard()
        }
        try require(fcntl(fd, F_GETFD) >= 0, "the program's descriptor is gone")
        try require(link.pointee.busy == 0, "the connection to the router stays taken")
        for index in 0..<Int(SLIM_QUEUE_SLOTS) where slim_queue_table()[index].cookie != 0 {
            close(slim_queue_table()[index].descriptor)
            slim_queue_table()[index] = slim_queue()
        }
        link.pointee.cookie = 0
    }

    /// Messages, each with up to three descriptors.
    private func feed(_ reader: inout InputReader, to end: CInt) {
        for _ in 0..<10 where !reader.isEmpty {
            let count = Int(reader.byte() % 4)
            let message = reader.bytes(Int(reader.byte()))
            switch count {
            case 0: _ = slim_send(end, message.baseAddress, message.count, -1)
            case 1:
                let passed = hostSocket()
                _ = slim_send(end, message.baseAddress, message.count, passed)
                close(passed)
            default: send(message, descriptors: count, to: end)
            }
        }
    }

    private func send(_ message: UnsafeRawBufferPointer, descriptors: Int, to end: CInt) {
        let passed = (0..<descriptors).map { _ in hostSocket() }
        defer { for fd in passed { close(fd) } }
        Sockets.send(message, passed, to: end)
    }

    /// As the router makes them: it connects when it is first written to, here to nobody.
    private func hostSocket() -> CInt {
        let fd = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        return fd
    }

    // MARK: Prepared connections

    private func takePrepared(_ reader: inout InputReader) throws {
        guard let link = slim_link_state() else { return }
        var ends: [CInt] = [-1, -1]
        try require(slim_pair(&ends) == 0, "no pair")
        feed(&reader, to: ends[0])
        close(ends[0])
        link.pointee.cookie = 0x7777
        PreparedConnections.add(ends[1], for: destination)
        let fd = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        for _ in 0..<4 {
            guard let queue = PreparedConnections.queue(for: destination) else { break }
            guard let connection = queue.take(isNonblocking: true) else { continue }
            try require(connection.replace(fd, Kernel.cookie(fd), 0xfff), "the program's descriptor is gone")
        }
        close(fd)
        link.pointee.cookie = 0
        // What is left is stale from now on.
        for index in 0..<Int(SLIM_QUEUE_SLOTS) where slim_queue_table()[index].cookie != 0 {
            close(slim_queue_table()[index].descriptor)
            slim_queue_table()[index] = slim_queue()
        }
    }

    // MARK: Names and filters

    private func readName(_ name: UnsafeRawBufferPointer) throws {
        let length = Int(SLIM_CHANNEL_NAME_LENGTH)
        try withUnsafeTemporaryAllocation(byteCount: max(1, name.count), alignment: 8) { room in
            room.copyMemory(from: name)
            let bytes = UnsafeRawBufferPointer(room)
            guard let address = Channel.address(in: bytes[..<name.count]) else { return }
            try withUnsafeTemporaryAllocation(byteCount: length + 3, alignment: 8) { again in
                again.storeBytes(of: UInt16(SLIM_AF_UNIX), as: UInt16.self)
                again[2] = 0
                Channel.write(number: 1, address, into: UnsafeMutableRawBufferPointer(rebasing: again[3...]))
                let found = Channel.address(in: UnsafeRawBufferPointer(again)[..<again.count])
                let isSame = found.map { found in
                    withUnsafeBytes(of: found) { one in withUnsafeBytes(of: address) { one.elementsEqual($0) } }
                }
                try require(isSame == true, "a channel's name does not survive")
            }
        }
    }

    private func filter(_ bytes: UnsafeRawBufferPointer) {
        let count = bytes.count / MemoryLayout<slim_instruction>.size
        withUnsafeTemporaryAllocation(of: slim_instruction.self, capacity: count) { instructions in
            UnsafeMutableRawBufferPointer(instructions).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[..<(count * MemoryLayout<slim_instruction>.size)]))
            let filter = Filter(instructions: UnsafeBufferPointer(instructions))
            var calls = 0
            guard let own = slim_own_calls(&calls) else { return }
            for index in 0..<calls { _ = filter.allows(own[index].data) }
        }
    }
}
