/// Which prepared preambles of one key are still good: each once, until they are declared void.
struct PreparedWindow {
    /// How far behind the newest a counter may arrive: prepared connections wait.
    static let size: UInt64 = 65_536
    private static let mostContacts = 65_536

    private var window: ReplayWindow?
    private var voidThrough: UInt64 = 0
    private var voidContacts: [Contact: UInt64] = [:]
    /// After this none is good: nobody could declare it void any longer.
    private(set) var end: ContinuousClock.Instant?

    /// - Returns: `false` for a preamble that was seen before, is too old to tell, or is void.
    mutating func accept(_ counter: UInt64, of contact: Contact, at now: ContinuousClock.Instant) -> Bool {
        if let end, end <= now { return false }
        guard counter > voidThrough, counter > voidContacts[contact] ?? 0 else { return false }
        return window.accept(counter)
    }

    /// - Parameter through: all up to this counter are void.
    mutating func void(through: UInt64, _ contacts: some Sequence<(Contact, UInt64)> = EmptyCollection()) {
        for (contact, counter) in contacts where counter > voidContacts[contact] ?? 0 {
            voidContacts[contact] = counter
        }
        if voidContacts.count > Self.mostContacts { voidThrough = max(voidThrough, voidContacts.values.max() ?? 0) }
        voidThrough = max(voidThrough, through)
        if !voidContacts.isEmpty { voidContacts = voidContacts.filter { $0.value > voidThrough } }
    }

    mutating func end(at instant: ContinuousClock.Instant) { end = min(end ?? instant, instant) }
}

extension Optional<ReplayWindow> {
    fileprivate mutating func accept(_ counter: UInt64) -> Bool {
        var window = self ?? ReplayWindow(size: PreparedWindow.size)
        self = nil
        defer { self = window }
        return window.accept(counter)
    }
}
