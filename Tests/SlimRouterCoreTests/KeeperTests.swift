import CSlimABI
import FoundationEssentials
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

@testable import SlimRouterCore

/// What becomes of listeners between one router and the next.
struct KeeperTests {
    /// A keeper on a thread of its own that has one listener of a router that is gone.
    private final class Orphan {
        let directory = FileManager.default.temporaryDirectory.path + "/slim-keeper-\(UUID().uuidString)"
        private(set) var address = KernelAddress()
        /// The program's end of the accept channel, and the other.
        private var programEnd: OwnedDescriptor?
        private let channel: OwnedDescriptor

        init() throws {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let path = "\(directory)/keeper.sock"
            let keeper = Box(try Keeper(path: path))
            try startThread(named: "keeper") { try? keeper.content.run() }
            let listener = try KeeperTests.listener(on: Port(0))
            address = try StreamSocket.localAddress(listener.raw)
            let ends = try LocalSocket.pair()
            channel = OwnedDescriptor(ends.0)
            programEnd = OwnedDescriptor(ends.1)
            let router = try LocalSocket.connect(to: path)
            try LocalSocket.send(slim_kept(SLIM_KEEP_ORIGINAL, id: 7), to: router.raw, passing: listener.raw)
            try LocalSocket.send(slim_kept(SLIM_KEEP_CHANNEL, id: 7), to: router.raw, passing: channel.raw)
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        /// A connection to the listener.
        func connect() throws -> OwnedDescriptor {
            let socket = try StreamSocket.open(.v4, nonblocking: false)
            try StreamSocket.connect(socket.raw, to: address)
            return socket
        }

        /// Whether the program is given a connection. Waits for one.
        func isServed() throws -> Bool {
            guard let raw = programEnd?.raw else { return false }
            var message = slim_accept()
            var received = try withUnsafeMutableBytes(of: &message) { bytes throws(Errno) in
                try LocalSocket.wait(from: raw, into: bytes)
            }
            return received.byteCount == MemoryLayout<slim_accept>.size && received.takeDescriptor() != nil
        }

        /// Leaves no room in the accept channel.
        ///
        /// - Returns: how many messages without a connection it now has.
        func fill() throws -> Int {
            for count in 0... {
                do throws(Errno) { try LocalSocket.send(slim_accept(), to: channel.raw) } catch {
                    guard error == .wouldBlock else { throw error }
                    return count
                }
            }
            return 0
        }

        func closeListener() { programEnd = nil }
    }

    /// Used by the thread that it is handed to.
    private struct Box: @unchecked Sendable {
        let content: Keeper
        init(_ content: Keeper) { self.content = content }
    }

    private static func listener(on port: Port) throws -> OwnedDescriptor {
        let address = try #require(KernelAddress(Endpoint(IPAddress(v4: (127, 0, 0, 1)), port), for: .v4))
        let listener = try StreamSocket.open(.v4, nonblocking: true)
        try StreamSocket.bind(listener.raw, to: address)
        try StreamSocket.listen(listener.raw, backlog: 8)
        return listener
    }

    @Test func `a router that starts leaves the listeners with the keeper until it can serve them`() throws {
        let orphan = try Orphan()
        let router = try KeeperLink(directory: orphan.directory)
        let kept = try router.take()
        #expect(kept.listeners.isEmpty)
        #expect(kept.hasMore)
        let early = try orphan.connect()
        #expect(try orphan.isServed())

        let listeners = try router.takeListeners()
        #expect(listeners.map(\.description.id) == [7])
        let late = try orphan.connect()
        let original = try #require(listeners.first).original.take()
        var peer = KernelAddress()
        #expect(try StreamSocket.accept(original.raw, peer: &peer) != nil)
        #expect(try peer.endpoint == StreamSocket.localAddress(late.raw).endpoint)
        _ = early.raw
    }

    @Test func `what a program closes while a router starts is free, and not handed over`() throws {
        let orphan = try Orphan()
        let router = try KeeperLink(directory: orphan.directory)
        _ = try router.take()
        orphan.closeListener()
        let port = try #require(orphan.address.endpoint).port
        let deadline = ContinuousClock.now + .seconds(10)
        while (try? Self.listener(on: port)) == nil {
            try #require(ContinuousClock.now < deadline, "the port is still in use")
            pause(.milliseconds(1))
        }
        #expect(try router.takeListeners().isEmpty)
    }

    @Test func `a router that dies before it has taken the listeners leaves them as they were`() throws {
        let orphan = try Orphan()
        _ = try KeeperLink(directory: orphan.directory).take()
        let connection = try orphan.connect()
        #expect(try orphan.isServed())
        let next = try KeeperLink(directory: orphan.directory)
        _ = try next.take()
        #expect(try next.takeListeners().count == 1)
        _ = connection.raw
    }

    /// A connection that was accepted from a listener, and its client.
    private static func accepted() throws -> (server: CInt, client: CInt) {
        let listener = try listener(on: Port(0))
        let client = try StreamSocket.open(.v4, nonblocking: false)
        try StreamSocket.connect(client.raw, to: try StreamSocket.localAddress(listener.raw))
        var peer = KernelAddress()
        guard let server = try StreamSocket.accept(listener.raw, peer: &peer) else { throw Errno.wouldBlock }
        return (server.release(), client.release())
    }

    @Test func `what a router was at when it was killed goes to the program, or to the next router`() throws {
        let orphan = try Orphan()
        let plain = try Self.accepted()
        let read = try Self.accepted()
        let unread = try Self.accepted()
        defer { for connection in [plain, read, unread] { _ = OwnedDescriptor(connection.client) } }
        var message = slim_kept(SLIM_KEEP_ARRIVAL)
        message.secret.0 = 0x53
        do {
            let heir = try LocalSocket.connect(to: orphan.directory + "/keeper.sock")
            for (message, connection) in [
                (slim_kept(SLIM_KEEP_ARRIVAL, id: 7), plain.server),
                (slim_kept(SLIM_KEEP_ARRIVAL, id: 8), plain.server),
                (message, read.server), (slim_kept(SLIM_KEEP_ARRIVAL), unread.server),
            ] {
                try LocalSocket.send(message, to: heir.raw, passing: connection)
            }
            for connection in [plain, read, unread] { _ = OwnedDescriptor(connection.server) }
        }
        #expect(try orphan.isServed())
        let arrivals = try KeeperLink(directory: orphan.directory).take().arrivals
        #expect(arrivals.map { $0.preamble?.first } == [0x53, nil])
        for (arrival, connection) in zip(arrivals, [read, unread]) {
            let server = arrival.connection.take()
            let peer = try StreamSocket.peerAddress(server.raw).endpoint
            #expect(try peer == StreamSocket.localAddress(connection.client).endpoint)
        }
    }

    @Test func `what a router was at waits where the program's channel is full`() throws {
        let orphan = try Orphan()
        let connection = try Self.accepted()
        defer { _ = OwnedDescriptor(connection.client) }
        var count = 0
        do {
            // Only a keeper that has been heard out can be filled up to.
            let heir = try LocalSocket.connect(to: orphan.directory + "/keeper.sock")
            try Self.synchronise(heir)
            count = try orphan.fill()
            for _ in 0..<2 {
                try LocalSocket.send(slim_kept(SLIM_KEEP_ARRIVAL, id: 7), to: heir.raw, passing: connection.server)
            }
            try Self.synchronise(heir)
        }
        _ = OwnedDescriptor(connection.server)
        let later = try orphan.connect()
        for _ in 0..<count { #expect(try !orphan.isServed()) }
        for _ in 0..<3 { #expect(try orphan.isServed()) }
        withExtendedLifetime(later) {}
    }

    /// Waits until the keeper has done what it was told.
    private static func synchronise(_ router: borrowing OwnedDescriptor) throws {
        try LocalSocket.send(slim_kept(SLIM_KEEP_SYNC), to: router.raw)
        var answer = slim_kept()
        _ = try withUnsafeMutableBytes(of: &answer) { bytes throws(Errno) in
            try LocalSocket.wait(from: router.raw, into: bytes)
        }
    }

    @Test func `what has arrived at a data port waits for a router, and is reset when none comes`() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/slim-keeper-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = "\(directory)/keeper.sock"
        let keeper = Box(try Keeper(path: path, portPatience: .milliseconds(300)))
        try startThread(named: "keeper") { try? keeper.content.run() }
        let port = try Self.listener(on: Port(0))
        let client = try StreamSocket.open(.v4, nonblocking: false)
        try StreamSocket.connect(client.raw, to: try StreamSocket.localAddress(port.raw))

        let accepted = try Self.accepted()
        defer { _ = OwnedDescriptor(accepted.client) }
        let router = try LocalSocket.connect(to: path)
        try LocalSocket.send(slim_kept(SLIM_KEEP_PORT, id: 4799), to: router.raw, passing: port.raw)
        try LocalSocket.send(slim_kept(SLIM_KEEP_ARRIVAL), to: router.raw, passing: accepted.server)
        _ = OwnedDescriptor(accepted.server)
        _ = consume router
        var next = Optional(try KeeperLink(directory: directory))
        pause(.milliseconds(500))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
        defer { buffer.deallocate() }
        #expect(try StreamSocket.receive(client.raw, into: buffer) == nil, "a router is there")
        next = nil
        let deadline = ContinuousClock.now + .seconds(10)
        for waiting in [client.raw, accepted.client] {
            #expect(throws: Errno.connectionReset) {
                while ContinuousClock.now < deadline, try StreamSocket.receive(waiting, into: buffer) == nil {
                    pause(.milliseconds(1))
                }
            }
        }
        withExtendedLifetime(next) {}
    }
}
