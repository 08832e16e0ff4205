internal import SlimRegistry

/// The overlay ports that connections of one container show as their own.
///
/// Taken below the range from which the container's kernel picks ports for the packet overlay (32768 and up), so that
/// the two never give the same one. When all are in use, ports are shared in turn: two connections to the same
/// destination would have to be 22,768 apart to collide.
struct PortPool {
    private static let range: ClosedRange<UInt16> = 10_000...32_767

    private var used = [UInt64](repeating: 0, count: 1024)
    private var next = range.lowerBound
    private(set) var count = 0

    mutating func take() -> Port {
        var candidate = next
        if count < Self.range.count {
            candidate = nextFree(from: candidate)
            used[Int(candidate) / 64] |= 1 << UInt64(candidate % 64)
            count += 1
        }
        next = Self.successor(candidate)
        return Port(candidate)
    }

    /// Marks a port of an adopted connection as used.
    mutating func claim(_ port: Port) {
        guard Self.range.contains(port.rawValue), !isUsed(port.rawValue) else { return }
        used[Int(port.rawValue) / 64] |= 1 << UInt64(port.rawValue % 64)
        count += 1
    }

    /// Gives a port back; one that was not taken here is ignored.
    mutating func release(_ port: Port) {
        guard Self.range.contains(port.rawValue), isUsed(port.rawValue) else { return }
        used[Int(port.rawValue) / 64] &= ~(1 << UInt64(port.rawValue % 64))
        count -= 1
    }

    /// The first free one from a port on, past the end from the beginning: there must be one.
    private func nextFree(from port: UInt16) -> UInt16 {
        let words = (first: Int(Self.range.lowerBound) / 64, last: Int(Self.range.upperBound) / 64)
        var word = Int(port) / 64
        var free = ~used[word] & ~0 << UInt64(port % 64)
        while free == 0 {
            word = word == words.last ? words.first : word + 1
            free = ~used[word]
            // The range begins within a word, and ends with one.
            if word == words.first { free &= ~0 << UInt64(Self.range.lowerBound % 64) }
        }
        return UInt16(word * 64 + free.trailingZeroBitCount)
    }

    private func isUsed(_ port: UInt16) -> Bool { used[Int(port) / 64] & 1 << UInt64(port % 64) != 0 }

    private static func successor(_ port: UInt16) -> UInt16 {
        port == range.upperBound ? range.lowerBound : port + 1
    }
}
