import CSlimABI
import Foundation
import Glibc
import SlimControl
import SlimRegistry
import SlimSystem
import SystemPackage

@testable import SlimRouterCore

/// A program in a container that talks to the router as no library does: any bytes, any number of descriptors of any sort, and
/// what it was given sent back.
final class ApplicationHarness: Harness {
    static let name = "applications"
    static let longest = 1024
    static let words = [
        "SLIM\u{1}\0", "\u{1}\0\u{2}\0", "\u{1}\0\u{3}\0", "\u{1}\0\u{4}\0", "\u{1}\0\u{5}\0", "\u{1}\0\u{6}\0",
    ]

    /// What a descriptor may be besides ``Sockets/Kind``.
    private enum Given: CaseIterable { case channel, host, queue, itself, foreign, foreignListener }

    private static let request = MemoryLayout<slim_request>.size
    private static let mostDescriptors = 12

    private let router: RouterFixture
    private let engine: Engine
    private let container: Container
    /// Sockets of the other container.
    private let foreign: (socket: CInt, listener: CInt)
    /// The other container's program: its connection to the router, and the channel of its listener on port 80.
    private let serverLink: OwnedDescriptor
    private let serverChannel: CInt
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 16)
    private var runs = 0
    private var baseline = 0

    init() throws {
        router = try RouterFixture()
        engine = router.engine
        guard let container = engine.containers["c1"] else { throw Finding("no container") }
        self.container = container
        let inside = try router.other.run { () throws(Errno) in
            let link = try LocalSocket.connect(to: "@slim").release()
            let listener = try StreamSocket.open(.v4, nonblocking: false)
            guard let address = KernelAddress(Endpoint(.anyV4, Port(80)), for: .v4) else { throw .invalidArgument }
            try StreamSocket.bind(listener.raw, to: address)
            try StreamSocket.listen(listener.raw, backlog: 16)
            return (link, Sockets.make(.tcp), listener.release())
        }
        foreign = (inside.1, inside.2)
        let link = OwnedDescriptor(inside.0)
        router.turn()
        _ = try LocalSocket.receive(from: link.raw, into: room)
        var request = slim_request()
        request.header = slim_header(SLIM_OP_LISTEN, sequence: 1)
        try LocalSocket.send(request, to: link.raw, passing: foreign.listener)
        router.turn()
        var answer = try LocalSocket.receive(from: link.raw, into: room)
        guard let channel = answer?.takeDescriptor() else { throw Finding("the other container has no channel") }
        serverChannel = channel.release()
        serverLink = link
    }

    deinit { room.deallocate() }

    static func seeds() -> [[UInt8]] {
        func message(_ operation: slim_operation, _ flags: UInt8, _ destination: UInt8, _ kinds: [UInt8]) -> [UInt8] {
            [1, UInt8(kinds.count)] + kinds + [UInt8(operation.rawValue), flags, destination]
        }
        let tcp = Sockets.Kind.tcp.rawValue
        let listening = Sockets.Kind.listening.rawValue
        let first = UInt8(Sockets.Kind.allCases.count)
        let connect = message(SLIM_OP_CONNECT, 1 | 32, 1, [tcp])
        return [
            connect + connect + connect + connect,
            message(SLIM_OP_CONNECT, 0, 0, [tcp]) + message(SLIM_OP_LOOKUP, 0, 0, [first + 1]),
            message(SLIM_OP_LISTEN, 0, 0, [listening]) + message(SLIM_OP_CONNECT, 3, 2, [tcp])
                + message(SLIM_OP_ORIGINAL, 4, 0, [first]) + message(SLIM_OP_ORIGINAL, 8, 0, [first])
                + message(SLIM_OP_REAP, 0, 0, []),
            message(SLIM_OP_CONNECT, 0, 3, [tcp]),
            message(SLIM_OP_CONNECT, 17, 4, [1]) + [0, 1, tcp, 10] + Array("SLIM".utf8),
            message(SLIM_OP_LISTEN, 0, 0, [first + 5]), message(SLIM_OP_CONNECT, 0, 1, [first + 4]),
            message(SLIM_OP_LISTEN, 0, 0, Array(0..<11)), message(SLIM_OP_LOOKUP, 0, 0, [first + 3]),
        ]
    }

    func run(_ input: UnsafeRawBufferPointer) throws {
        var reader = InputReader(input)
        var program = Program(link: try LocalSocket.connect(to: "@slim").release())
        defer { program.end() }
        router.turn()
        let verdict = ResolveVerdict.allCases[Int(reader.byte()) % ResolveVerdict.allCases.count]
        for _ in 0..<10 where !reader.isEmpty {
            let passed = try say(&reader, &program)
            for _ in 0..<2 {
                router.turn()
                answerAsPeer(verdict)
            }
            try hear(&program, passed)
            drainServer()
            try require(engine.containers["c1"] === container, "the container has been shut out")
        }
        program.end()
        try settle()
    }

    // MARK: What is said

    private struct Passed {
        var operation: UInt16 = 0
        /// Of the first descriptor.
        var isForeign = false
        var isKnownChannel = false
        var listenerCookie: SocketCookie?
    }

    private struct Program {
        var link: CInt
        var channel: CInt = -1
        var host: CInt = -1
        var queue: CInt = -1
        /// The listening socket behind the channel.
        var listener: SocketCookie?

        mutating func end() {
            if host >= 0 { StreamSocket.resetOnClose(host) }
            for fd in [link, channel, host, queue] where fd >= 0 { close(fd) }
            (link, channel, host, queue) = (-1, -1, -1, -1)
        }
    }

    private func say(_ reader: inout InputReader, _ program: inout Program) throws -> Passed {
        var passed = Passed()
        let form = reader.byte()
        var descriptors: [CInt] = []
        for index in 0..<Int(reader.byte()) % (Self.mostDescriptors + 1) {
            let kind = Int(reader.byte()) % (Sockets.Kind.allCases.count + Given.allCases.count)
            let fd: CInt
            if kind < Sockets.Kind.allCases.count {
                fd = Sockets.make(Sockets.Kind.allCases[kind])
            } else {
                let given = Given.allCases[kind - Sockets.Kind.allCases.count]
                if index == 0 {
                    passed.isForeign = given == .foreign || given == .foreignListener
                    passed.isKnownChannel = given == .channel && program.channel >= 0
                }
                fd = dup(number(of: given, program))
            }
            if fd >= 0 { descriptors.append(fd) }
        }
        defer { for fd in descriptors { close(fd) } }
        if let first = descriptors.first { passed.listenerCookie = try? StreamSocket.cookie(first) }
        var message = [UInt8](repeating: 0, count: Self.request)
        if form & 3 == 0 {
            message = Array(reader.bytes(Int(reader.byte())))
        } else {
            let request = structured(&reader)
            withUnsafeBytes(of: request) { message = Array($0) }
            passed.operation = request.header.operation
        }
        message.withUnsafeBytes { Sockets.send($0, descriptors, to: program.link) }
        if form & 4 != 0 { shutdown(program.link, CInt(SHUT_WR)) }
        return passed
    }

    private func number(of given: Given, _ program: Program) -> CInt {
        switch given {
        case .channel: program.channel
        case .host: program.host
        case .queue: program.queue
        case .itself: program.link
        case .foreign: foreign.socket
        case .foreignListener: foreign.listener
        }
    }

    private func structured(_ reader: inout InputReader) -> slim_request {
        var request = slim_request()
        request.header = slim_header(
            magic: UInt32(SLIM_ABI_MAGIC), version: UInt16(SLIM_ABI_VERSION), operation: UInt16(reader.byte() % 9),
            sequence: 7, flags: UInt32(reader.byte()))
        let places = [
            Endpoint(RouterFixture.c1, Port(80)), Endpoint(RouterFixture.c2, Port(80)),
            Endpoint(RouterFixture.c1, Port(8080)), Endpoint(IPAddress(v4: (10, 32, 2, 2)), Port(80)),
            Endpoint(IPAddress(v6High: 0xfd00_0032_0000_0002, low: 2), Port(80)), Endpoint(.anyV4, Port(0)),
        ]
        let place = Int(reader.byte())
        if place < places.count {
            request.destination = slim_address(places[place])
        } else {
            let bytes = reader.bytes(MemoryLayout<slim_address>.size)
            withUnsafeMutableBytes(of: &request.destination) { $0.copyBytes(from: bytes) }
        }
        return request
    }

    // MARK: What is answered

    private func hear(_ program: inout Program, _ passed: Passed) throws {
        guard program.link >= 0 else { return }
        while var received = try? LocalSocket.receive(from: program.link, into: room), received.byteCount > 0 {
            let count = received.descriptorCount
            let descriptor = received.takeDescriptor()
            let surplus = received.takeSurplus()
            defer { for fd in surplus where fd != program.queue { close(fd) } }
            let header = room.load(as: slim_header.self)
            try require(
                header.magic == UInt32(SLIM_ABI_MAGIC) && header.version == UInt16(SLIM_ABI_VERSION), "a foreign answer"
            )
            if header.operation == UInt16(SLIM_OP_GREETING.rawValue) {
                try require(received.byteCount == MemoryLayout<slim_greeting>.size && count == 0, "an odd greeting")
                continue
            }
            try require(received.byteCount == MemoryLayout<slim_reply>.size, "an answer of \(received.byteCount) bytes")
            let reply = room.load(as: slim_reply.self)
            try require(header.sequence == 7 || passed.operation == 0, "an answer to what was not asked")
            try require(reply.verdict <= SLIM_VERDICT_REFUSED.rawValue, "verdict \(reply.verdict)")
            try require(reply.verdict == SLIM_VERDICT_DONE.rawValue || count == 0, "a descriptor with a refusal")
            guard let descriptor else { continue }
            try require(!passed.isForeign, "another container's socket was taken")
            switch slim_operation(UInt32(header.operation)) {
            case SLIM_OP_LISTEN:
                if program.channel >= 0 { close(program.channel) }
                program.channel = descriptor.release()
                program.listener = passed.listenerCookie
            case SLIM_OP_CONNECT:
                if program.host >= 0 { close(program.host) }
                program.host = descriptor.release()
                if let queue = surplus.first {
                    if program.queue >= 0 { close(program.queue) }
                    program.queue = queue
                }
            case SLIM_OP_ORIGINAL:
                let cookie = try StreamSocket.cookie(descriptor.raw)
                try require(
                    passed.operation == 0 || passed.isKnownChannel && cookie == program.listener,
                    "a listening socket was handed to a stranger")
            default: throw Finding("operation \(header.operation) is answered with a descriptor")
            }
        }
    }

    /// The other hosts' routers answer whatever they are asked.
    private func answerAsPeer(_ verdict: ResolveVerdict) {
        for (message, peer) in router.takeTold() {
            guard case .resolve(let query) = message else { continue }
            let answer = ResolveAnswer(id: query.id, verdict: verdict, cacheable: query.id % 2 == 0)
            engine.handle(.message(.resolved(answer), peer: peer))
        }
    }

    /// The other container's server takes what arrives, and resets it.
    private func drainServer() {
        while var received = try? LocalSocket.receive(from: serverChannel, into: room), received.byteCount > 0 {
            if let connection = received.takeDescriptor() { StreamSocket.resetOnClose(connection.raw) }
        }
    }

    // MARK: Afterwards

    /// When the program has ended nothing of it is left.
    private func settle() throws {
        for round in 0..<2000 {
            router.turn()
            drainServer()
            if container.links.isEmpty, container.listenerCount == 0, container.parkedCount == 0,
                container.queueCount == 0, container.disposal.pending == 0, engine.arrivals.isEmpty
            {
                break
            }
            try require(
                round < 1999,
                "left: \(container.links.count) links, \(container.listenerCount) listeners, "
                    + "\(container.parkedCount) parked, \(container.queueCount) queues, \(container.disposal.pending) to close"
            )
            if round > 3 { pause(.microseconds(200)) }
        }
        runs += 1
        guard runs.isMultiple(of: 512) else { return }
        try? engine.keeper.synchronise()
        let count = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        if baseline == 0 { baseline = count }
        try require(count <= baseline + 64, "\(count) descriptors are open, \(baseline) were")
    }
}
