internal import Synchronization

/// Tells of a review when it, and everything else that has to happen with it, is done.
final class ReviewGate: Sendable {
    private struct State {
        var open: Int
        var result: ReviewResult?
        var isTold = false
    }

    private let state: Mutex<State>
    private let tell: @Sendable (ReviewResult) -> Void

    /// - Parameter others: how many things there are beside the review.
    init(others: Int, _ tell: @escaping @Sendable (ReviewResult) -> Void) {
        state = Mutex(State(open: others))
        self.tell = tell
    }

    func add(_ count: Int) { state.withLock { $0.open += count } }

    func passReview(_ result: ReviewResult) { pass { $0.result = result } }

    func passOther() { pass { $0.open -= 1 } }

    private func pass(_ change: (inout State) -> Void) {
        let ready = state.withLock { state -> ReviewResult? in
            change(&state)
            guard !state.isTold, state.open <= 0, let result = state.result else { return nil }
            state.isTold = true
            return result
        }
        if let ready { tell(ready) }
    }
}
