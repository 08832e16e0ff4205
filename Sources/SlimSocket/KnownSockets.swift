import CSlimABI
import CSlimSocket

/// The overlay addresses of host sockets that passed through this process, by socket cookie.
///
/// A cache: an entry may be overwritten by another, and the router is then asked. Each entry is a sequence lock that
/// no reader or writer ever waits for, so that it may be used in a signal handler.
enum KnownSockets {
    private static func slot(_ cookie: UInt64, _ way: Int) -> UnsafeMutablePointer<slim_known> {
        let set = Int(truncatingIfNeeded: (cookie &* 0x9e37_79b9_7f4a_7c15) >> 32) & (Int(SLIM_KNOWN_SLOTS) / 4 - 1)
        return slim_known_table() + (set * 4 + way)
    }

    static func store(_ cookie: UInt64, local: slim_address, peer: slim_address) {
        guard cookie != 0 else { return }
        var victim = Int(truncatingIfNeeded: cookie & 3)
        for way in 0..<4 where slot(cookie, way).pointee.cookie == 0 || slot(cookie, way).pointee.cookie == cookie {
            victim = way
            break
        }
        let entry = slot(cookie, victim)
        let sequence = slim_load32(&entry.pointee.sequence)
        guard sequence & 1 == 0, slim_exchange32(&entry.pointee.sequence, sequence, sequence &+ 1) != 0 else { return }
        slim_fence()
        entry.pointee.cookie = cookie
        entry.pointee.local = local
        entry.pointee.peer = peer
        slim_store32(&entry.pointee.sequence, sequence &+ 2)
    }

    static func find(_ cookie: UInt64) -> (local: slim_address, peer: slim_address)? {
        guard cookie != 0 else { return nil }
        for way in 0..<4 {
            let entry = slot(cookie, way)
            let before = slim_load32(&entry.pointee.sequence)
            guard before & 1 == 0, entry.pointee.cookie == cookie else { continue }
            let found = (local: entry.pointee.local, peer: entry.pointee.peer)
            slim_fence()
            if slim_load32(&entry.pointee.sequence) == before { return found }
        }
        return nil
    }
}

/// The sockets that are still as `socket()` made them: TCP, of the container, not bound, not connected, no option changed
/// but some that the library itself can carry over to another socket. Neither it nor the router need ask the kernel about
/// one of these.
///
/// Every call that changes a socket takes it out, or notes which option it has changed. An entry that was overwritten by
/// another only costs the asking.
enum PristineSockets {
    /// Bit by bit, which of the first kept options (`slim_kept_options`) were changed.
    typealias Changes = UInt64
    private static let cookieShift: UInt64 = 16

    private static func slot(_ cookie: UInt64) -> UnsafeMutablePointer<UInt64> {
        slim_pristine_table() + Int(truncatingIfNeeded: (cookie &* 0x9e37_79b9_7f4a_7c15) >> 32)
            & (Int(SLIM_PRISTINE_SLOTS) - 1)
    }

    // The lowest bit tells the family: 1 for IPv6. The bits above it are the changes.
    private static func entry(_ cookie: UInt64, _ family: CInt) -> UInt64 {
        cookie << cookieShift | (family == SLIM_AF_INET6 ? 1 : 0)
    }

    private static func isEntry(_ word: UInt64, of cookie: UInt64) -> Bool {
        word != 0 && word >> cookieShift == (cookie << cookieShift) >> cookieShift
    }

    static func add(_ cookie: UInt64, family: CInt) {
        guard cookie != 0 else { return }
        let slot = slot(cookie)
        let other = slot.pointee
        if slim_exchange(slot, other, entry(cookie, family)) != 0, other == 0 { slim_add32(slim_pristine_count(), 1) }
    }

    /// Takes a socket out, and says which options were changed; `nil` when it was not in, with this family.
    static func take(_ cookie: UInt64, family: CInt) -> Changes? {
        guard cookie != 0 else { return nil }
        let word = slim_load(slot(cookie))
        guard isEntry(word, of: cookie), word & 1 == entry(0, family), replace(cookie, word, by: 0) else { return nil }
        return (word & ((1 << cookieShift) - 1)) >> 1
    }

    /// Takes out the socket behind a descriptor. Where there is none at all, as in most servers, the kernel is not asked.
    static func remove(_ fd: CInt) {
        guard slim_load32(slim_pristine_count()) != 0 else { return }
        update(Kernel.cookie(fd)) { _ in 0 }
    }

    /// An option of the socket behind a descriptor was set.
    static func noteOption(_ fd: CInt, level: CInt, name: CInt) {
        guard slim_load32(slim_pristine_count()) != 0 else { return }
        guard !Options.isForBind(level: level, name: name) else { return }
        guard let index = Options.carriedIndex(level: level, name: name) else { return remove(fd) }
        update(Kernel.cookie(fd)) { word in word | 2 << UInt64(index) }
    }

    private static func update(_ cookie: UInt64, _ change: (UInt64) -> UInt64) {
        guard cookie != 0 else { return }
        while true {
            let word = slim_load(slot(cookie))
            guard isEntry(word, of: cookie) else { return }
            if replace(cookie, word, by: change(word)) { return }
        }
    }

    private static func replace(_ cookie: UInt64, _ word: UInt64, by other: UInt64) -> Bool {
        guard slim_exchange(slot(cookie), word, other) != 0 else { return false }
        if other == 0 { slim_add32(slim_pristine_count(), UInt32.max) }
        return true
    }
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_socket(_ family: CInt, _ type: CInt, _ protocolNumber: CInt) -> CInt {
    let fd = slim_real_socket(family, type, protocolNumber)
    if fd >= 0, Sandbox.mayLook, family == SLIM_AF_INET || family == SLIM_AF_INET6, type & 0xf == SLIM_SOCK_STREAM,
        protocolNumber == 0 || protocolNumber == SLIM_IPPROTO_TCP
    {
        PristineSockets.add(Kernel.cookie(fd), family: family)
    }
    return fd
}
