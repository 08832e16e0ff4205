import SlimRegistry
import Testing

@testable import SlimRouterCore

struct AddressPoolTests {
    private static func pool(_ subnets: String...) -> AddressPool { AddressPool(subnets.compactMap { Subnet($0) }) }

    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private static func taken(_ pool: inout AddressPool) -> [String]? { pool.take()?.map(\.description) }

    private static func claims(_ pool: inout AddressPool, _ text: String) throws -> Bool {
        pool.claim(try address(text))
    }

    @Test func `the first container gets the second address of each subnet`() {
        var pool = Self.pool("10.32.1.0/24", "fd00:32:0:1::/64")
        #expect(Self.taken(&pool) == ["10.32.1.2", "fd00:32:0:1::2"])
        #expect(Self.taken(&pool) == ["10.32.1.3", "fd00:32:0:1::3"])
    }

    @Test func `an address is not used again soon`() {
        var pool = Self.pool("10.32.1.0/24")
        let first = pool.take() ?? []
        #expect(first.count == 1)
        pool.release(first)
        #expect(Self.taken(&pool) == ["10.32.1.3"])
    }

    @Test(arguments: [
        ("10.32.1.0/24", 253), ("10.32.1.0/29", 5), ("10.32.1.0/30", 1), ("10.32.1.0/31", 0), ("10.32.1.0/32", 0),
    ])
    func `every address but network, bridge and broadcast is given once`(subnet: String, count: Int) {
        var pool = Self.pool(subnet)
        var given: Set<IPAddress> = []
        while given.count <= count, let addresses = pool.take() { given.formUnion(addresses) }
        #expect(given.count == count)
        #expect(Self.taken(&pool) == nil)
        guard let one = given.first else { return }
        pool.release([one])
        #expect(Self.taken(&pool) == [one.description])
    }

    @Test func `chosen addresses are given once, and only this host's`() throws {
        var pool = Self.pool("10.32.1.0/24", "fd00:32:0:1::/64")
        #expect(try Self.claims(&pool, "10.32.1.2"))
        #expect(try !Self.claims(&pool, "10.32.1.2"))
        #expect(try Self.claims(&pool, "fd00:32:0:1::ffff"))
        for text in [
            "10.32.1.0", "10.32.1.1", "10.32.1.255", "10.32.2.2", "fd00:32:0:1::", "fd00:32:0:1::1", "fd00:32:0:2::2",
            "0.0.0.0",
        ] {
            #expect(try !Self.claims(&pool, text), "\(text)")
        }
        #expect(Self.taken(&pool) == ["10.32.1.3", "fd00:32:0:1::3"])
    }

    @Test func `an offset is skipped when one of its addresses is taken`() throws {
        var pool = Self.pool("10.32.1.0/24", "fd00:32:0:1::/64")
        #expect(try Self.claims(&pool, "fd00:32:0:1::2"))
        #expect(Self.taken(&pool) == ["10.32.1.3", "fd00:32:0:1::3"])
    }
}
