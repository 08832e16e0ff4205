/// How long to wait before dialling again: twice as long after each failure, with jitter against peers in step.
struct Backoff {
    private let shortest: Duration
    private let longest: Duration
    private var current: Duration

    init(shortest: Duration, longest: Duration) {
        self.shortest = shortest
        self.longest = longest
        current = shortest
    }

    /// - Parameter jitter: from 0 to 1; the wait is between half of the step and all of it.
    mutating func next(jitter: Double = .random(in: 0...1)) -> Duration {
        defer { current = min(current * 2, longest) }
        return current * (0.5 + 0.5 * jitter)
    }

    mutating func reset() { current = shortest }
}
