import FoundationEssentials
import SlimRegistry
import SlimSystem
import Testing

@testable import SlimRouterCore

@Suite struct ConnectionTableTests {
    private let path = "/tmp/slim-connections-\(UUID().uuidString)"

    private func connection(_ number: UInt16, pooled: Bool = true) -> Connection {
        Connection(
            namespace: NamespaceCookie(rawValue: 4000 + UInt64(number)),
            direction: number % 2 == 0 ? .outgoing : .incoming,
            local: Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(number)),
            peer: Endpoint(IPAddress(v6High: 0xfd00_0032_0000_0002, low: UInt64(number)), Port(80)),
            isPortPooled: pooled,
            since: 1_800_000_000)
    }

    private func cookie(_ number: Int) -> SocketCookie { SocketCookie(rawValue: UInt64(number)) }

    @Test func `what one router wrote the next one reads, less what was removed`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            var table = try ConnectionTable(path: path, capacity: 100)
            for number in 1...10 { table.add(connection(UInt16(number), pooled: number != 7), cookie(number)) }
            #expect(table.remove(cookie(3)) == connection(3))
            #expect(table.remove(cookie(3)) == nil)
        }
        let table = try ConnectionTable(path: path, capacity: 100)
        let count = table.count
        #expect(count == 9)
        for number in 1...10 {
            let found = table[cookie(number)]
            #expect(found == (number == 3 ? nil : connection(UInt16(number), pooled: number != 7)))
        }
    }

    @Test func `a full table refuses, and a place that was freed is used again`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        var table = try ConnectionTable(path: path, capacity: 3)
        var added: [Bool] = []
        for number in 1...4 { added.append(table.add(connection(UInt16(number)), cookie(number))) }
        #expect(added == [true, true, true, false])
        _ = table.remove(cookie(2))
        let again = table.add(connection(5), cookie(5))
        let found = [table[cookie(1)], table[cookie(3)], table[cookie(5)]]
        #expect(again)
        #expect(found == [connection(1), connection(3), connection(5)])
    }

    @Test func `garbage in the file is no connection`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data((0..<6400).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }).write(to: URL(filePath: path))
        let table = try ConnectionTable(path: path, capacity: 50)
        let count = table.count
        #expect(count == 0)
    }

    @Test func `it finds what it holds and nothing else, whatever came and went before`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        var table = try ConnectionTable(path: path, capacity: 400)
        var expected: [SocketCookie: Connection] = [:]
        // Few cookies and a full table: places are taken, given up and taken again in every order.
        for turn in 0..<40_000 {
            let cookie = cookie(.random(in: 1...1000))
            if Bool.random() {
                let connection = connection(UInt16(turn % 60_000))
                if table.add(connection, cookie) { expected[cookie] = connection }
            } else {
                let removed = table.remove(cookie)
                let known = expected.removeValue(forKey: cookie)
                #expect(removed == known)
            }
        }
        let count = table.count
        #expect(count == expected.count)
        for number in 1...1000 {
            let found = table[cookie(number)]
            #expect(found == expected[cookie(number)])
        }
    }

    @Test func `in parts, each is visited that stays, and those that came after a moment are told`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        var table = try ConnectionTable(path: path, capacity: 100)
        for number in 1...50 { table.add(connection(UInt16(number)), cookie(number)) }
        table.beginAge()
        for number in 51...60 { table.add(connection(UInt16(number)), cookie(number)) }
        var younger: Set<SocketCookie> = []
        var older: Set<SocketCookie> = []
        var next: UInt32? = 0
        while let start = next {
            next = table.visit(from: start, atMost: 7) { cookie, _, isYounger in
                if isYounger { younger.insert(cookie) } else { older.insert(cookie) }
            }
            _ = table.remove(cookie(50))
        }
        #expect(younger == Set((51...60).map { cookie($0) }))
        #expect(older == Set((1...49).map { cookie($0) }))
    }

    @Test func `what an earlier router left is older than what the next one adds`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            var table = try ConnectionTable(path: path, capacity: 10)
            table.beginAge()
            table.add(connection(1), cookie(1))
        }
        var table = try ConnectionTable(path: path, capacity: 10)
        table.beginAge()
        table.add(connection(2), cookie(2))
        var younger: [SocketCookie] = []
        _ = table.visit(from: 0, atMost: 10) { cookie, _, isYounger in if isYounger { younger.append(cookie) } }
        #expect(younger == [cookie(2)])
    }
}
