internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// The live connections of this host, by the cookie of their host socket.
///
/// The entries are in a file that is mapped into memory, so that a router that is killed loses none of them: 64 bytes
/// each, beside an index in memory. No operation but those on the whole table depends on how many there are.
struct ConnectionTable: ~Copyable {
    private static let entryBytes = 64
    /// "SLIMCON1": what the first entry starts with; the number of entries ever used follows it.
    private static let magic: UInt64 = 0x314e_4f43_4d49_4c53
    private static let ageOffset = 61
    /// In a free slot.
    private static let nextOffset = 8

    private let file: MappedFile
    private let capacity: Int
    private var index: SlotIndex
    /// A free slot below the end, and one: each holds the next. Whoever forgets a connection needs no memory for that.
    private var free: UInt32 = 0
    /// Which entries are younger than the last ``beginAge()``: the low bits of its number.
    private var age: UInt8 = 0
    private var end: UInt32 = 0
    private(set) var total: UInt64 = 0

    /// Opens the table in a file. What an earlier router wrote there is back, live or not.
    init(path: String, capacity: Int) throws(Errno) {
        self.capacity = capacity
        file = try MappedFile(path, byteCount: (capacity + 1) * Self.entryBytes)
        index = SlotIndex(capacity: capacity)
        if file.bytes.load(as: UInt64.self) == Self.magic {
            end = min(file.bytes.load(fromByteOffset: 8, as: UInt32.self), UInt32(capacity))
        }
        file.bytes.storeBytes(of: Self.magic, as: UInt64.self)
        for slot in 0..<end {
            let cookie = cookie(slot)
            if cookie.rawValue != 0, decode(slot) != nil, find(cookie) == nil {
                index.add(cookie, slot: slot)
                entry(slot).storeBytes(of: age, toByteOffset: Self.ageOffset, as: UInt8.self)
            } else {
                clear(slot)
            }
        }
    }

    var count: Int { index.count }
    var isFull: Bool { index.count >= capacity }

    subscript(cookie: SocketCookie) -> Connection? { find(cookie).flatMap { decode($0) } }

    func forEach(_ body: (SocketCookie, Connection) -> Void) {
        _ = visit(from: 0, atMost: end) { cookie, connection, _ in body(cookie, connection) }
    }

    /// Goes through a part of the table. Between two parts entries may come and go.
    ///
    /// - Parameter body: also told whether the entry is younger than the last ``beginAge()``.
    /// - Returns: where the next part begins; `nil` at the end.
    func visit(from start: UInt32, atMost count: UInt32, _ body: (SocketCookie, Connection, Bool) -> Void) -> UInt32? {
        let rest = end - min(start, end)
        let stop = start + min(count, rest)
        for slot in start..<max(start, stop) {
            let cookie = cookie(slot)
            guard cookie.rawValue != 0, let connection = decode(slot) else { continue }
            body(cookie, connection, entry(slot)[Self.ageOffset] == age)
        }
        return stop < end ? stop : nil
    }

    /// From now on, what is added is younger than what is there.
    mutating func beginAge() { age &+= 1 }

    /// - Returns: `false` when the table is full.
    @discardableResult
    mutating func add(_ connection: Connection, _ cookie: SocketCookie) -> Bool {
        let slot: UInt32
        if let known = find(cookie) {
            encode(connection, into: known)
            return true
        } else if free != 0 {
            slot = free - 1
            free = entry(slot).load(fromByteOffset: Self.nextOffset, as: UInt32.self)
        } else if end < capacity {
            slot = end
            end += 1
            file.bytes.storeBytes(of: end, toByteOffset: 8, as: UInt32.self)
        } else {
            return false
        }
        total += 1
        encode(connection, into: slot)
        // The cookie comes last: a router killed in between leaves a hole, not half an entry.
        entry(slot).storeBytes(of: cookie.rawValue, as: UInt64.self)
        index.add(cookie, slot: slot)
        return true
    }

    mutating func remove(_ cookie: SocketCookie) -> Connection? {
        let bytes = file.bytes
        guard let slot = index.remove(cookie, { Self.cookie($0, bytes) }) else { return nil }
        let connection = decode(slot)
        clear(slot)
        return connection
    }

    private mutating func clear(_ slot: UInt32) {
        entry(slot).storeBytes(of: 0, as: UInt64.self)
        entry(slot).storeBytes(of: free, toByteOffset: Self.nextOffset, as: UInt32.self)
        free = slot + 1
    }

    private func find(_ cookie: SocketCookie) -> UInt32? {
        let bytes = file.bytes
        return index.find(cookie) { Self.cookie($0, bytes) }
    }

    private func cookie(_ slot: UInt32) -> SocketCookie { Self.cookie(slot, file.bytes) }

    private static func cookie(_ slot: UInt32, _ bytes: UnsafeMutableRawBufferPointer) -> SocketCookie {
        SocketCookie(rawValue: bytes.load(fromByteOffset: (Int(slot) + 1) * entryBytes, as: UInt64.self))
    }

    private func entry(_ slot: UInt32) -> UnsafeMutableRawBufferPointer {
        let start = (Int(slot) + 1) * Self.entryBytes
        return UnsafeMutableRawBufferPointer(rebasing: file.bytes[start..<start + Self.entryBytes])
    }

    private func encode(_ connection: Connection, into slot: UInt32) {
        let bytes = entry(slot)
        bytes.storeBytes(of: connection.namespace.rawValue, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: connection.local.address.high, toByteOffset: 16, as: UInt64.self)
        bytes.storeBytes(of: connection.local.address.low, toByteOffset: 24, as: UInt64.self)
        bytes.storeBytes(of: connection.peer.address.high, toByteOffset: 32, as: UInt64.self)
        bytes.storeBytes(of: connection.peer.address.low, toByteOffset: 40, as: UInt64.self)
        bytes.storeBytes(of: UInt32(truncatingIfNeeded: connection.since), toByteOffset: 48, as: UInt32.self)
        bytes.storeBytes(of: connection.local.port.rawValue, toByteOffset: 52, as: UInt16.self)
        bytes.storeBytes(of: connection.peer.port.rawValue, toByteOffset: 54, as: UInt16.self)
        bytes.storeBytes(of: connection.direction.rawValue, toByteOffset: 56, as: UInt8.self)
        bytes.storeBytes(of: connection.local.address.family.rawValue, toByteOffset: 57, as: UInt8.self)
        bytes.storeBytes(of: connection.peer.address.family.rawValue, toByteOffset: 58, as: UInt8.self)
        bytes.storeBytes(of: connection.isPortPooled ? 1 : 0, toByteOffset: 59, as: UInt8.self)
        bytes.storeBytes(of: connection.isPrepared ? 1 : 0, toByteOffset: 60, as: UInt8.self)
        bytes.storeBytes(of: age, toByteOffset: Self.ageOffset, as: UInt8.self)
    }

    private func decode(_ slot: UInt32) -> Connection? {
        let bytes = UnsafeRawBufferPointer(entry(slot))
        func word(_ offset: Int) -> UInt64 { bytes.load(fromByteOffset: offset, as: UInt64.self) }
        func endpoint(_ address: Int, _ port: Int, _ family: Int) -> Endpoint? {
            let port = Port(bytes.load(fromByteOffset: port, as: UInt16.self))
            return switch IPAddress.Family(rawValue: bytes[family]) {
            case .v4: Endpoint(IPAddress(v4Bits: UInt32(word(address) >> 32)), port)
            case .v6: Endpoint(IPAddress(v6High: word(address), low: word(address + 8)), port)
            case nil: nil
            }
        }
        guard let direction = Connection.Direction(rawValue: bytes[56]), let local = endpoint(16, 52, 57),
            let peer = endpoint(32, 54, 58)
        else { return nil }
        return Connection(
            namespace: NamespaceCookie(rawValue: word(8)), direction: direction, local: local, peer: peer,
            isPortPooled: bytes[59] == 1, isPrepared: bytes[60] == 1,
            since: UInt64(bytes.load(fromByteOffset: 48, as: UInt32.self)))
    }
}
