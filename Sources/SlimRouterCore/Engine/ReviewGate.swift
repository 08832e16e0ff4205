internal import Synchronization

/// Tells of a review when it, and everything else that has to happen with it, is done.
final class ReviewGate: Sendable {
    /// What the review came to, and since when new connections obey everywhere.
    typealias Reviewed = @Sendable (_ result: ReviewResult, _ inForce: ContinuousClock.Instant) -> Void

    private struct State {
        var open: Int
        /// When the last of the others passed.
        var inForce: ContinuousClock.Instant?
        var result: ReviewResult?
        var isTold = false
    }

    private let state: Mutex<State>
    private let tell: Reviewed

    /// - Parameter others: how many things there are beside the review.
    init(others: Int, _ tell: @escaping Reviewed) {
        state = Mutex(State(open: others))
        self.tell = tell
    }

    func add(_ count: Int) { state.withLock { $0.open += count } }

    func passReview(_ result: ReviewResult) { pass { $0.result = result } }

    func passOther() {
        pass { state in
            state.open -= 1
            if state.open == 0 { state.inForce = .now }
        }
    }

    private func pass(_ change: (inout State) -> Void) {
        let ready = state.withLock { state -> (ReviewResult, ContinuousClock.Instant)? in
            change(&state)
            guard !state.isTold, let inForce = state.inForce, let result = state.result else { return nil }
            state.isTold = true
            return (result, inForce)
        }
        if let ready { tell(ready.0, ready.1) }
    }
}
