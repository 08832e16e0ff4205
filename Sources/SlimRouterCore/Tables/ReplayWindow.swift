/// Which counters of one key have been seen: each is accepted once, in any order within a window (RFC 4303 section 3.4.3).
struct ReplayWindow {
    /// How far behind the newest a counter may usually arrive.
    static let size: UInt64 = 4096

    private let size: UInt64
    private(set) var newest: UInt64 = 0
    private var seen: [UInt64]

    /// - Parameter size: a multiple of 64.
    init(size: UInt64 = ReplayWindow.size) {
        self.size = size
        seen = [UInt64](repeating: 0, count: Int(size) / 64)
    }

    /// - Returns: `false` when the counter was seen before, or is too old to tell.
    mutating func accept(_ counter: UInt64) -> Bool {
        if counter > newest {
            let distance = counter - newest
            if distance >= size {
                for index in seen.indices { seen[index] = 0 }
            } else {
                for skipped in newest + 1...counter { clear(skipped) }
            }
            newest = counter
        } else if newest - counter >= size || isSet(counter) {
            return false
        }
        set(counter)
        return true
    }

    private func position(_ counter: UInt64) -> (word: Int, bit: UInt64) {
        (Int(counter / 64 % (size / 64)), 1 << (counter % 64))
    }

    private func isSet(_ counter: UInt64) -> Bool {
        let (word, bit) = position(counter)
        return seen[word] & bit != 0
    }

    private mutating func set(_ counter: UInt64) {
        let (word, bit) = position(counter)
        seen[word] |= bit
    }

    private mutating func clear(_ counter: UInt64) {
        let (word, bit) = position(counter)
        seen[word] &= ~bit
    }
}
