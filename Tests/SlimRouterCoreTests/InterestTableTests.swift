import SlimRegistry
import Testing

@testable import SlimRouterCore

struct InterestTableTests {
    private static func endpoint(_ host: UInt8, _ port: UInt16) -> Endpoint {
        Endpoint(IPAddress(v4: (10, 32, 1, host)), Port(port))
    }

    @Test func `who was told of a destination is told once more, and then no longer`() {
        var table = InterestTable()
        table.insert("h2", for: Self.endpoint(2, 80))
        table.insert("h3", for: Self.endpoint(2, 80))
        table.insert("h3", for: Self.endpoint(2, 80))
        table.insert("h3", for: Self.endpoint(2, 81))
        #expect(table.count == 2)
        #expect(table.take(Self.endpoint(2, 80)) == ["h2", "h3"])
        #expect(table.take(Self.endpoint(2, 80)).isEmpty)
        #expect(table.count == 1)
        #expect(table.takeAll() == ["h3"])
        #expect(table.count == 0)
    }

    @Test func `an address has its own destinations`() {
        var table = InterestTable()
        for port in 80..<90 as Range<UInt16> { table.insert("h2", for: Self.endpoint(2, port)) }
        table.insert("h2", for: Self.endpoint(3, 80))
        #expect(Set(table.destinations(at: Self.endpoint(2, 0).address).map(\.port.rawValue)) == Set(80..<90))
        for destination in table.destinations(at: Self.endpoint(2, 0).address) { _ = table.take(destination) }
        #expect(table.destinations(at: Self.endpoint(2, 0).address).isEmpty)
        #expect(table.count == 1)
    }

    @Test func `a peer that is lost is told of nothing, the others are`() {
        var table = InterestTable()
        table.insert("h2", for: Self.endpoint(2, 80))
        table.insert("h3", for: Self.endpoint(2, 80))
        table.insert("h2", for: Self.endpoint(2, 81))
        table.forget("h2")
        #expect(table.count == 1)
        #expect(table.take(Self.endpoint(2, 80)) == ["h3"])
        table.insert("h2", for: Self.endpoint(2, 81))
        #expect(table.take(Self.endpoint(2, 81)) == ["h2"])
    }
}
