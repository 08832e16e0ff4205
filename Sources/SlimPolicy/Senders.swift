/// The `from` lists that an endpoint is in: a short list where they are few, else bits, so that going through them is quick.
struct Senders: Hashable, Sendable {
    private let lists: [Int32]
    /// Empty where ``lists`` is not.
    private let bits: [UInt64]

    /// - Parameters:
    ///   - lists: ascending, none twice.
    ///   - count: of all lists.
    init(_ lists: [Int32], outOf count: Int) {
        let words = (count + 63) / 64
        guard lists.count > 2 * words + 4 else {
            self.lists = lists
            bits = []
            return
        }
        self.lists = []
        bits = lists.reduce(into: Array(repeating: 0, count: words)) { $0[Int($1) / 64] |= 1 << UInt64($1 % 64) }
    }

    /// - Parameters:
    ///   - list: called for each list where they are few.
    ///   - word: called with the place and the bits of each 64 lists where they are many.
    @inline(__always)
    func forEach(list: (Int) -> Void, word: (Int, UInt64) -> Void) {
        lists.withUnsafeBufferPointer { for number in $0 { list(Int(number)) } }
        bits.withUnsafeBufferPointer { bits in for index in bits.indices { word(index, bits[index]) } }
    }
}

/// The groups whose `to` list an endpoint is in, to be found by their `from` list.
///
/// Laid out so that a decision touches little memory: mostly only ``bits``.
struct Receivers: Hashable, Sendable {
    /// One bit for each `from` list: whether there are groups with it.
    private let bits: [UInt64]
    /// For each word of ``bits`` how many bits are set in those before. Then for each bit that is set its only group,
    /// or, with the highest bit set, where in ``more`` its groups are.
    private let index: [UInt32]
    /// How many groups, then these.
    private let more: [UInt32]

    private static let several: UInt32 = 1 << 31

    /// - Parameters:
    ///   - groups: ascending by their `from` list, none twice.
    ///   - lists: how many `from` lists there are.
    ///   - list: the `from` list of a group.
    init(_ groups: [Int32], lists: Int, list: (Int32) -> Int32) {
        var bits = [UInt64](repeating: 0, count: (lists + 63) / 64)
        var (entries, more): ([UInt32], [UInt32]) = ([], [])
        var start = 0
        while start < groups.count {
            let from = list(groups[start])
            var end = start
            while end < groups.count, list(groups[end]) == from { end += 1 }
            bits[Int(from) / 64] |= 1 << UInt64(from % 64)
            if end - start == 1 {
                entries.append(UInt32(groups[start]))
            } else {
                entries.append(UInt32(more.count) | Self.several)
                more.append(UInt32(end - start))
                more += groups[start..<end].map { UInt32($0) }
            }
            start = end
        }
        var before: UInt32 = 0
        index =
            bits.map { word in
                defer { before += UInt32(word.nonzeroBitCount) }
                return before
            } + entries
        self.bits = bits
        self.more = more
    }

    /// The groups that speak about connections from a sender to this receiver.
    @inline(__always)
    func forEachGroup(of senders: Senders, _ body: (Int) -> Void) {
        bits.withUnsafeBufferPointer { bits in
            senders.forEach { list in
                let bit = UInt64(1) << UInt64(list % 64)
                if bits[list / 64] & bit != 0 { visit(list / 64, bits[list / 64], bit, body) }
            } word: { word, lists in
                var common = bits[word] & lists
                while common != 0 {
                    visit(word, bits[word], common & (~common &+ 1), body)
                    common &= common - 1
                }
            }
        }
    }

    @inline(__always)
    private func visit(_ word: Int, _ bitsOfWord: UInt64, _ bit: UInt64, _ body: (Int) -> Void) {
        let entry = index[bits.count + Int(index[word]) + (bitsOfWord & (bit - 1)).nonzeroBitCount]
        guard entry & Self.several != 0 else { return body(Int(entry)) }
        let start = Int(entry & ~Self.several)
        for place in start + 1...start + Int(more[start]) { body(Int(more[place])) }
    }
}
