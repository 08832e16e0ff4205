import SlimRegistry
import Testing

@testable import SlimRouterCore

struct PortPoolTests {
    private static let range: ClosedRange<UInt16> = 10_000...32_767

    @Test func `every port is given once before one is shared`() {
        var pool = PortPool()
        let ports = Set(Self.range.map { _ in pool.take() })
        #expect(ports.count == Self.range.count)
        #expect(ports.allSatisfy { Self.range.contains($0.rawValue) })
        #expect(pool.count == Self.range.count)
        // All in use: still one is given, in turn.
        let first = pool.take()
        let second = pool.take()
        #expect(Self.range.contains(first.rawValue))
        #expect(first != second)
        #expect(pool.count == Self.range.count)
    }

    @Test func `a port that was given back is not the next one`() {
        var pool = PortPool()
        let port = pool.take()
        pool.release(port)
        #expect(pool.count == 0)
        let next = pool.take()
        #expect(next != port)
    }

    @Test func `the only free port is found wherever it is`() {
        var pool = PortPool()
        for _ in Self.range { _ = pool.take() }
        pool.release(Port(20_000))
        let next = pool.take()
        #expect(next == Port(20_000))
    }

    @Test(arguments: [10_000, 10_047, 10_048, 20_031, 32_767] as [UInt16])
    func `a free port is found from whichever port the turn is at`(free: UInt16) {
        for turn in [10_000, 10_001, 10_063, 20_031, 20_032, 32_766, 32_767] as [UInt16] {
            var pool = PortPool()
            for port in Self.range where port != turn { pool.claim(Port(port)) }
            _ = pool.take()
            pool.release(Port(free))
            let next = pool.take()
            #expect(next == Port(free))
        }
    }

    @Test func `claimed ports are not given, and strangers are ignored`() {
        var pool = PortPool()
        pool.claim(Port(10_000))
        pool.claim(Port(10_000))
        #expect(pool.count == 1)
        let next = pool.take()
        #expect(next == Port(10_001))
        for stranger in [0, 80, 9_999, 32_768, 65_535] as [UInt16] {
            pool.claim(Port(stranger))
            pool.release(Port(stranger))
        }
        #expect(pool.count == 2)
        pool.release(Port(10_000))
        pool.release(Port(10_000))
        #expect(pool.count == 1)
    }
}
