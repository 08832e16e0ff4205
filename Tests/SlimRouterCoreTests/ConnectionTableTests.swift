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
}
