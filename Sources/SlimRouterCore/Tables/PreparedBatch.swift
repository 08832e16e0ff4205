/// How many connections are kept ready in a queue: as many as a tenth of a second takes.
struct PreparedBatch {
    static let least = 4
    static let most = 64
    /// So many are made at once: whoever shares the CPU with the router is held up no longer than that takes.
    static let atOnce = 8
    /// So many times a second as many as are ready are used.
    private static let turns = 10.0

    private(set) var target = least
    /// Used since ``adapt(at:)``.
    private var used = 0
    private var since: ContinuousClock.Instant

    /// How many to make at once where some are left: more when they are used faster than they are made.
    func step(from left: Int) -> Int { left * 4 < target ? 3 * Self.atOnce : Self.atOnce }

    /// When so many are left, more are made.
    var low: Int { target - min(Self.atOnce, target * 3 / 4) }

    init(at now: ContinuousClock.Instant) { since = now }

    /// Some were used.
    mutating func use(_ count: Int) { used += count }

    /// One was wanted and none was there.
    mutating func miss() { target = min(Self.most, target * 2) }

    /// Chooses how many are to be ready from now on, from the rate at which they were used.
    mutating func adapt(at now: ContinuousClock.Instant) {
        let seconds = since.duration(to: now) / .seconds(1)
        // Too short a time says nothing about a rate, except where everything was used in it.
        guard seconds >= 0.005 || used >= target else { return }
        let wanted = seconds > 0 ? Double(used) / seconds / Self.turns : Double(Self.most)
        let bounded = Int(min(max(wanted, Double(Self.least)), Double(Self.most)))
        // Up at once, down by halves.
        target = max(bounded, (target + bounded) / 2)
        used = 0
        since = now
    }
}
