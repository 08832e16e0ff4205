internal import CSlimABI
internal import SlimPolicy
internal import SlimSystem
internal import SystemPackage

/// Connections that the policy forbids.
extension Engine {
    /// So long a container that is denied again and again waits for each further answer: whoever retries in a loop
    /// takes a small share of this thread, however many programs it runs.
    private static let denialInterval: Duration = .milliseconds(5)
    /// So many denials at once are answered without delay.
    private static let denialBurst = 200
    private static let denialPause: Duration = .milliseconds(1)

    /// Refuses a connection that the policy forbids, or has it time out.
    ///
    /// To time out, the program makes its plain call: the packet filter holds the same policy and drops what it sends.
    /// As long as it does not, the connection is refused.
    func deny(_ pending: PendingConnect, _ mode: DenyMode) {
        counters.connectsDenied += 1
        if mode == .drop, isFilterInForce { return fallBack(pending) }
        let container = pending.link.container
        let now = ContinuousClock.now
        let earliest = now - Self.denialInterval * Self.denialBurst
        container.nextDenial = max(container.nextDenial ?? earliest, earliest) + Self.denialInterval
        guard let due = container.nextDenial, due > now else { return refuse(pending, .connectionRefused) }
        delayed.append((due, pending))
        delayedDue = min(delayedDue ?? due, due)
        suspend(pending.link)
    }

    /// Answers those who have waited long enough; looks through them once a millisecond at most, however many there are.
    func answerDelayed() {
        let now = ContinuousClock.now
        guard let due = delayedDue, due <= now else { return }
        let ready = delayed.filter { $0.due <= now }
        delayed.removeAll { $0.due <= now }
        delayedDue = delayed.lazy.map(\.due).min().map { max($0, now + Self.denialPause) }
        for (_, pending) in ready where !pending.link.isClosed { refuse(pending, .connectionRefused) }
    }
}
