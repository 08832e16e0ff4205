import Testing

@testable import SlimRouterCore

struct ReplayWindowTests {
    private static let size = ReplayWindow.size

    /// The macros take no mutating call.
    private static func accept(_ window: inout ReplayWindow, _ counter: UInt64) -> Bool { window.accept(counter) }

    @Test func `each counter is accepted once, in order`() {
        var window = ReplayWindow()
        for counter in 1...10_000 as ClosedRange<UInt64> {
            #expect(Self.accept(&window, counter))
            #expect(!Self.accept(&window, counter))
        }
    }

    @Test func `counters may come in any order within the window`() {
        var window = ReplayWindow()
        let counters = (1...Self.size).shuffled()
        for counter in counters { #expect(Self.accept(&window, counter)) }
        for counter in counters { #expect(!Self.accept(&window, counter)) }
    }

    @Test func `the window's edge`() {
        var window = ReplayWindow()
        #expect(Self.accept(&window, 100_000))
        #expect(Self.accept(&window, 100_000 - Self.size + 1))
        #expect(!Self.accept(&window, 100_000 - Self.size))
        #expect(!Self.accept(&window, 100_000 - Self.size - 1))
        #expect(!Self.accept(&window, 1))
        #expect(Self.accept(&window, 100_001))
        // The edge has moved on.
        #expect(!Self.accept(&window, 100_001 - Self.size))
        #expect(Self.accept(&window, 100_002 - Self.size + 1))
    }

    @Test(arguments: [size - 1, size, size + 1, 2 * size, 1 << 40, UInt64.max - 7])
    func `a far jump forgets what was seen and what came before`(distance: UInt64) {
        var window = ReplayWindow()
        for counter in 1...7 as ClosedRange<UInt64> { #expect(Self.accept(&window, counter)) }
        let newest = 7 + distance
        #expect(Self.accept(&window, newest))
        #expect(!Self.accept(&window, newest))
        #expect(!Self.accept(&window, 7))
        #expect(Self.accept(&window, newest - 1))
        #expect(!Self.accept(&window, newest - 1))
    }

    @Test func `the largest counter is a counter`() {
        var window = ReplayWindow()
        #expect(Self.accept(&window, .max))
        #expect(!Self.accept(&window, .max))
        #expect(Self.accept(&window, .max - 1))
        #expect(!Self.accept(&window, 0))
    }

    @Test(arguments: 1...20) func `it agrees with a plain set over random sequences`(seed: UInt64) {
        var random = Generator(state: seed)
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var newest: UInt64 = 0
        for _ in 0..<4000 {
            let span = [1, 64, 5000, 100_000].randomElement(using: &random) ?? 1
            let counter = max(0, Int(newest) + Int.random(in: -span...span, using: &random))
            let isFresh =
                !seen.contains(UInt64(counter)) && (UInt64(counter) > newest || newest - UInt64(counter) < Self.size)
            #expect(Self.accept(&window, UInt64(counter)) == isFresh)
            seen.insert(UInt64(counter))
            newest = max(newest, UInt64(counter))
        }
    }

    /// xorshift64: the same numbers in each run.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }
}
