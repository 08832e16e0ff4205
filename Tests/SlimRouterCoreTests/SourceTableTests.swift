import Testing

@testable import SlimRouterCore

struct SourceTableTests {
    private static func isVacant(_ source: Source) -> Bool { if case .vacant = source { true } else { false } }
    private static func isMailbox(_ source: Source) -> Bool { if case .mailbox = source { true } else { false } }

    @Test func `a token names its registration until that ends`() {
        var table = SourceTable()
        let token = table.add(.mailbox)
        #expect(Self.isMailbox(table[token]))
        table.remove(token)
        #expect(Self.isVacant(table[token]))
    }

    @Test func `a place that is used again has another token, and the old one names nothing`() {
        var table = SourceTable()
        var old: [UInt64] = []
        for _ in 0..<100 {
            let token = table.add(.mailbox)
            #expect(!old.contains(token))
            for stale in old { #expect(Self.isVacant(table[stale])) }
            table.remove(token)
            old.append(token)
        }
        // All in one place.
        #expect(Set(old.map { UInt32(truncatingIfNeeded: $0) }) == [0])
    }

    @Test func `removing twice, or with a stale token, does not touch the newer registration`() {
        var table = SourceTable()
        let first = table.add(.mailbox)
        table.remove(first)
        table.remove(first)
        let second = table.add(.mailbox)
        let third = table.add(.mailbox)
        #expect(UInt32(truncatingIfNeeded: second) != UInt32(truncatingIfNeeded: third))
        table.remove(first)
        #expect(Self.isMailbox(table[second]))
    }

    @Test(arguments: [0, 1, .max, 1 << 32 | 5, 5] as [UInt64]) func `an invented token names nothing`(token: UInt64) {
        var table = SourceTable()
        _ = table.add(.mailbox)
        #expect(Self.isVacant(table[token]))
        table.remove(token)
        #expect(Self.isMailbox(table[1 << 32]))
    }
}
