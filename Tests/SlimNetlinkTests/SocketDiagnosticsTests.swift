import Glibc
import SlimNetlink
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

struct SocketDiagnosticsTests {
    static let endpoints = ["127.0.0.1", "::1"].map { Endpoint(address($0), Port(7000)) }

    private func makeLoopback() throws -> TestNamespace {
        let namespace = try TestNamespace()
        let routes = try RouteSocket(in: namespace.handle)
        try routes.setUp(try routes.index(of: "lo"))
        return namespace
    }

    @Test(arguments: endpoints) func `a dump shows both ends and the listener`(endpoint: Endpoint) throws {
        let namespace = try makeLoopback()
        let connection = try Connection(in: namespace, to: endpoint)
        let records = try SocketDiagnostics(in: namespace.handle).dump()
        let client = try #require(try records.first { try $0.cookie == cookie(of: connection.client) })
        let server = try #require(try records.first { try $0.cookie == cookie(of: connection.server) })
        let listener = try #require(try records.first { try $0.cookie == cookie(of: connection.listener) })
        #expect(records.count == 3)
        #expect(client.remote == endpoint && server.local == endpoint && listener.local == endpoint)
        #expect(client.local == server.remote)
        #expect(client.state == .established && listener.state == .listening)
        #expect(client.family == endpoint.address.family)
        #expect(client.inode != 0 && client.uid == getuid())
        #expect(try SocketDiagnostics(in: namespace.handle).dump(states: .listening) == [listener])
    }

    @Test func `one namespace does not see the sockets of another`() throws {
        let busy = try makeLoopback()
        let quiet = try TestNamespace()
        let connection = try Connection(in: busy, to: Self.endpoints[0])
        #expect(try SocketDiagnostics(in: quiet.handle).dump().isEmpty)
        withExtendedLifetime(connection) {}
    }

    @Test(arguments: endpoints) func `a destroyed socket is aborted and its other end is reset`(endpoint: Endpoint)
        throws
    {
        let namespace = try makeLoopback()
        let connection = try Connection(in: namespace, to: endpoint)
        let diagnostics = try SocketDiagnostics(in: namespace.handle)
        let victim = try diagnostics.dump().filter { try $0.cookie == cookie(of: connection.client) }
        #expect(try diagnostics.destroy(victim) == 1)
        #expect(throws: Errno.connectionAbort) { try receive(connection.client) }
        #expect(throws: Errno.connectionReset) { try receive(connection.server) }
        #expect(try diagnostics.destroy(victim) == 0)
    }

    @Test func `an IPv4 connection of an IPv6 socket is destroyed too`() throws {
        let namespace = try makeLoopback()
        let endpoint = Endpoint(address("127.0.0.1"), Port(7001))
        let connection = try Connection(in: namespace, to: endpoint, usesIPv6Sockets: true)
        let diagnostics = try SocketDiagnostics(in: namespace.handle)
        let victim = try diagnostics.dump().filter { try $0.cookie == cookie(of: connection.client) }
        #expect(victim.first?.remote == endpoint)
        #expect(victim.first?.family == .v6)
        #expect(try diagnostics.destroy(victim) == 1)
        #expect(throws: Errno.connectionAbort) { try receive(connection.client) }
    }

    @Test func `a record of another socket at the same addresses destroys nothing`() throws {
        let namespace = try makeLoopback()
        let connection = try Connection(in: namespace, to: Self.endpoints[0])
        let diagnostics = try SocketDiagnostics(in: namespace.handle)
        let real = try #require(try diagnostics.dump().first { try $0.cookie == cookie(of: connection.client) })
        let other = SocketRecord(
            cookie: SocketCookie(rawValue: real.cookie.rawValue + 1000), local: real.local, remote: real.remote,
            state: real.state, family: real.family)
        #expect(try diagnostics.destroy([other]) == 0)
        #expect(try diagnostics.dump().contains(real))
    }

    @Test func `several batches are destroyed in one call, and their ends are told`() throws {
        let namespace = try makeLoopback()
        var events = try DestroyEvents(in: namespace.handle)
        let count = 300
        let pairs = try namespace.run { try openConnections(count) }
        let diagnostics = try SocketDiagnostics(in: namespace.handle)
        let clients = try diagnostics.dump(states: .established).filter { $0.remote.port == Port(7002) }
        #expect(clients.count == count)
        #expect(try diagnostics.destroy(clients) == count)
        #expect(try diagnostics.destroy(clients) == 0)
        for descriptor in pairs { close(descriptor) }
        var ended: Set<SocketCookie> = []
        var lost: DestroyEvents.Overflow?
        let isComplete = eventually {
            lost = events.drain { ended.insert($0) } ?? lost
            return ended.isSuperset(of: clients.map(\.cookie))
        }
        #expect(isComplete && lost == nil)
    }

    @Test(arguments: endpoints) func `the end of a socket is told once, by its cookie`(endpoint: Endpoint) throws {
        let namespace = try makeLoopback()
        var events = try DestroyEvents(in: namespace.handle)
        var lost = events.drain { _ in Issue.record("nothing has ended") }
        var told: [SocketCookie] = []
        let cookies = try closeConnection(in: namespace, to: endpoint)
        let isComplete = eventually {
            lost = events.drain { told.append($0) } ?? lost
            return Set(told).isSuperset(of: cookies)
        }
        #expect(isComplete && lost == nil)
        #expect(cookies.allSatisfy { cookie in told.count { $0 == cookie } == 1 })
    }

    @Test func `events that did not fit are reported as lost`() throws {
        let namespace = try makeLoopback()
        var events = try DestroyEvents(in: namespace.handle)
        // A small buffer, so that a few ends overflow it.
        var size: CInt = 1
        setsockopt(events.descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        for descriptor in try namespace.run({ try openConnections(100) }) { close(descriptor) }
        let isLost = eventually { events.drain { _ in } != nil }
        #expect(isLost)
    }
}

/// Waits for what a socket has to say: end of file is no error.
private func receive(_ socket: CInt) throws {
    var byte: UInt8 = 0
    try systemCall { recv(socket, &byte, 1, 0) }
}

/// Opens and closes a connection; tells the cookies of all three sockets.
private func closeConnection(in namespace: TestNamespace, to endpoint: Endpoint) throws -> [SocketCookie] {
    let connection = try Connection(in: namespace, to: endpoint)
    return [
        try cookie(of: connection.client), try cookie(of: connection.server), try cookie(of: connection.listener),
    ]
}

/// Connections to port 7002: the descriptors of both ends and of the listener.
private func openConnections(_ count: Int) throws -> [CInt] {
    let endpoint = Endpoint(address("127.0.0.1"), Port(7002))
    let type = CInt(SOCK_STREAM.rawValue) | O_CLOEXEC
    let listener = try systemCall { socket(AF_INET, type, 0) }
    var descriptors = [listener]
    try systemCall { endpoint.withSocketAddress { bind(listener, $0, $1) } }
    try systemCall { listen(listener, CInt(count)) }
    for _ in 0..<count {
        let client = try systemCall { socket(AF_INET, type, 0) }
        try systemCall { endpoint.withSocketAddress { connect(client, $0, $1) } }
        descriptors += [client, try systemCall { accept(listener, nil, nil) }]
    }
    return descriptors
}
