internal import Logging

/// Logs what strangers can cause at most once a second for each kind, and says how often it was left out.
struct LimitedLog {
    let logger: Logger
    private var kinds: [String: (next: ContinuousClock.Instant, skipped: Int)] = [:]

    init(_ logger: Logger) { self.logger = logger }

    mutating func warning(_ kind: String, _ message: @autoclosure () -> String) { write(.warning, kind, message()) }

    mutating func error(_ kind: String, _ message: @autoclosure () -> String) { write(.error, kind, message()) }

    private mutating func write(_ level: Logger.Level, _ kind: String, _ message: @autoclosure () -> String) {
        let now = ContinuousClock.now
        if let last = kinds[kind], last.next > now {
            kinds[kind]?.skipped += 1
            return
        }
        let skipped = kinds[kind]?.skipped ?? 0
        kinds[kind] = (now + .seconds(1), 0)
        logger.log(level: level, "\(message())", metadata: skipped > 0 ? ["more": "\(skipped)"] : nil)
    }
}
