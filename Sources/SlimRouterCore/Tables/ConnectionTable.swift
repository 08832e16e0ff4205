internal import SlimSystem

/// The live connections of this host, by the cookie of their host socket.
struct ConnectionTable {
    private var entries: [SocketCookie: Connection] = [:]
    private(set) var total: UInt64 = 0

    var count: Int { entries.count }
    var all: some Sequence<(key: SocketCookie, value: Connection)> { entries }

    subscript(cookie: SocketCookie) -> Connection? { entries[cookie] }

    mutating func add(_ connection: Connection, _ cookie: SocketCookie) {
        entries[cookie] = connection
        total += 1
    }

    mutating func remove(_ cookie: SocketCookie) -> Connection? { entries.removeValue(forKey: cookie) }
}
