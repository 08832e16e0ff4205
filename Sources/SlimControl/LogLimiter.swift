/// Lets one event a second through and counts the others, so that a hostile peer cannot fill the log.
struct LogLimiter {
    private var last: ContinuousClock.Instant?
    private var suppressed = 0

    /// - Returns: how many were left out since the last one; `nil` when this one is to be left out too.
    mutating func admit(at now: ContinuousClock.Instant = .now) -> Int? {
        if let last, now < last + .seconds(1) {
            suppressed += 1
            return nil
        }
        defer { suppressed = 0 }
        last = now
        return suppressed
    }
}
