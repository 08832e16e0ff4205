internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem

/// What a look at all live connections came to.
struct ReviewResult: Sendable {
    var kept = 0
    var cut = 0
}

/// A look at every live connection, in parts: between them programs are served.
struct Review {
    /// Where in the table it goes on; `nil` at its end.
    var next: UInt32? = 0
    /// Whether something has changed meanwhile that has all of them looked at once more.
    var isToRepeat = false
    var condemned: [SocketCookie] = []
    var kept = 0
    var cut = 0
    var waiting: [@Sendable (ReviewResult) -> Void]
}

/// Judges live connections anew, when the policy or somebody's labels have changed, and cuts what is no longer allowed.
extension Engine {
    private static let slice: Duration = .milliseconds(1)
    /// Connections between two looks at the clock.
    private static let step: UInt32 = 16

    /// Begins a review, because labels or containers have changed. One that is under way goes on, and another follows: what
    /// changes again and again must not keep it from its end.
    func reviewAgain() {
        guard review != nil, isPolicyClosed else { return review { _ in } }
        settleAll()
        withdrawDenied()
        review?.isToRepeat = true
    }

    /// Begins a review, because the policy has changed; one that is under way begins anew.
    func review(then reviewed: @escaping @Sendable (ReviewResult) -> Void) {
        let waiting = (review?.waiting ?? []) + [reviewed]
        settleAll()
        if !isPolicyClosed {
            review = nil
            for tell in waiting { tell(ReviewResult(kept: usedCount)) }
            return
        }
        withdrawDenied()
        review = Review(waiting: waiting)
    }

    /// Looks at some connections; called as long as there is a review.
    func continueReview() {
        guard var review = review.take() else { return }
        let end = ContinuousClock.now + Self.slice
        while let start = review.next {
            guard ContinuousClock.now < end else {
                self.review = review
                return
            }
            review.next = connections.visit(from: start, atMost: Self.step) { cookie, connection, _ in
                // What nobody uses is cut like the rest, but interests nobody.
                let isUsed = !unused.contains(cookie)
                if verdict(on: connection)?.isAllowed ?? true {
                    if isUsed { review.kept += 1 }
                } else {
                    if isUsed { review.cut += 1 }
                    review.condemned.append(cookie)
                }
            }
        }
        if review.isToRepeat { self.review = Review(waiting: []) }
        let result = ReviewResult(kept: review.kept, cut: review.cut)
        let waiting = review.waiting
        guard !review.condemned.isEmpty else { return waiting.forEach { $0(result) } }
        counters.connectionsCut += UInt64(review.cut)
        cutter.cut(review.condemned, by: security.guard) { waiting.forEach { $0(result) } }
    }
}
