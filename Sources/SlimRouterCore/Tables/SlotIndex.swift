internal import Glibc
internal import SlimSystem

/// Finds the slot of a socket's cookie: open addressing with linear probing, over slots whose cookies are in the table itself.
///
/// Four bytes for each of two to four times as many places as there are slots; they take memory when they are first used.
/// It never grows, so that an entry is added as fast to a million as to ten: who makes room for a million others at once
/// keeps everybody waiting.
struct SlotIndex: ~Copyable {
    /// A slot and one; 0 is an empty place.
    private let places: UnsafeMutablePointer<UInt32>
    private let mask: Int
    private let shift: UInt64
    /// Nobody can choose cookies that fall together.
    private let multiplier = UInt64.random(in: .min ... .max) | 1
    private(set) var count = 0

    /// - Parameter capacity: as many slots as there are; no more are added.
    init(capacity: Int) {
        var bits = 4
        while 1 << bits < capacity * 2 { bits += 1 }
        // Zeroed without being touched; when there is none it ends as any other allocation does.
        guard let memory = calloc(1 << bits, MemoryLayout<UInt32>.stride) else { fatalError("out of memory") }
        places = memory.bindMemory(to: UInt32.self, capacity: 1 << bits)
        mask = 1 << bits - 1
        shift = UInt64(64 - bits)
    }

    deinit { free(places) }

    /// - Parameter cookieAt: the cookie in a slot.
    func find(_ cookie: SocketCookie, _ cookieAt: (UInt32) -> SocketCookie) -> UInt32? {
        var place = home(cookie)
        while places[place] != 0 {
            if cookieAt(places[place] - 1) == cookie { return places[place] - 1 }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Adds a cookie that is not in.
    mutating func add(_ cookie: SocketCookie, slot: UInt32) {
        var place = home(cookie)
        while places[place] != 0 { place = (place + 1) & mask }
        places[place] = slot + 1
        count += 1
    }

    /// - Returns: the slot that the cookie was in.
    mutating func remove(_ cookie: SocketCookie, _ cookieAt: (UInt32) -> SocketCookie) -> UInt32? {
        var place = home(cookie)
        while places[place] != 0, cookieAt(places[place] - 1) != cookie { place = (place + 1) & mask }
        guard places[place] != 0 else { return nil }
        let slot = places[place] - 1
        // What comes after and could not be found across a gap moves up.
        var next = (place + 1) & mask
        while places[next] != 0 {
            if (next - home(cookieAt(places[next] - 1))) & mask >= (next - place) & mask {
                places[place] = places[next]
                place = next
            }
            next = (next + 1) & mask
        }
        places[place] = 0
        count -= 1
        return slot
    }

    private func home(_ cookie: SocketCookie) -> Int { Int((cookie.rawValue &* multiplier) >> shift) }
}
