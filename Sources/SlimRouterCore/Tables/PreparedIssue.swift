/// What prepared preambles a router has made under one key, and may have to declare void.
struct PreparedIssue {
    /// A preamble is void so long after it was made; the other router is told, for it has another clock.
    static let lifetime: Duration = .seconds(5)
    private static let markInterval: Duration = .seconds(1)

    private(set) var counter: UInt64 = 0
    private var contacts: [Contact: UInt64] = [:]
    /// How far the counter was at certain times.
    private var marks: [(at: ContinuousClock.Instant, counter: UInt64)] = []
    private var marked: UInt64 = 0
    private var voided: UInt64 = 0

    /// Whether preambles may be out that are not void yet.
    var isOut: Bool { counter > voided }

    /// The counter of the next preamble.
    mutating func next(for contact: Contact) -> UInt64 {
        counter += 1
        contacts[contact] = counter
        return counter
    }

    /// Called several times a second while preambles are out.
    ///
    /// - Returns: the newest counter that has become void by its age; `nil` when none has.
    mutating func expire(at now: ContinuousClock.Instant) -> UInt64? {
        if counter > marked, marks.last.map({ $0.at + Self.markInterval <= now }) ?? true {
            marks.append((now, counter))
            marked = counter
        }
        let old = marks.prefix { $0.at + Self.lifetime <= now }
        guard let newest = old.last?.counter else { return nil }
        marks.removeFirst(old.count)
        voided = newest
        contacts = contacts.filter { $0.value > newest }
        return newest
    }

    /// Takes out the contacts of which preambles are out and no longer allowed, each with its newest counter.
    mutating func withdraw(where isDenied: (Contact) -> Bool) -> [(Contact, UInt64)] {
        let denied = contacts.filter { isDenied($0.key) }
        for contact in denied.keys { contacts[contact] = nil }
        return denied.map { ($0.key, $0.value) }
    }
}
