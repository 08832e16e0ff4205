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
    var rest: ArraySlice<SocketCookie>
    var condemned: [SocketCookie] = []
    var kept = 0
    var cut = 0
    var waiting: [@Sendable (ReviewResult) -> Void]
}

/// Judges live connections anew, when the policy or somebody's labels have changed, and cuts what is no longer allowed.
extension Engine {
    private static let slice: Duration = .milliseconds(1)
    /// Connections between two looks at the clock.
    private static let step = 16

    /// Begins a review; one that is under way begins anew.
    func review(then reviewed: (@Sendable (ReviewResult) -> Void)? = nil) {
        var waiting = review?.waiting ?? []
        if let reviewed { waiting.append(reviewed) }
        settleAll()
        if !isPolicyClosed {
            review = nil
            for tell in waiting { tell(ReviewResult(kept: usedCount)) }
            return
        }
        withdrawDenied()
        review = Review(rest: connections.cookies[...], waiting: waiting)
    }

    /// Looks at some connections; called as long as there is a review.
    func continueReview() {
        guard var review else { return }
        let end = ContinuousClock.now + Self.slice
        repeat {
            for cookie in review.rest.prefix(Self.step) {
                guard let connection = connections[cookie] else { continue }
                // What nobody uses is cut like the rest, but interests nobody.
                let isUsed = !unused.contains(cookie)
                if verdict(on: connection)?.isAllowed ?? true {
                    if isUsed { review.kept += 1 }
                } else {
                    if isUsed { review.cut += 1 }
                    review.condemned.append(cookie)
                }
            }
            review.rest = review.rest.dropFirst(Self.step)
        } while !review.rest.isEmpty && ContinuousClock.now < end
        guard review.rest.isEmpty else {
            self.review = review
            return
        }
        self.review = nil
        let result = ReviewResult(kept: review.kept, cut: review.cut)
        let waiting = review.waiting
        guard !review.condemned.isEmpty else { return waiting.forEach { $0(result) } }
        counters.connectionsCut += UInt64(review.cut)
        cutter.cut(Set(review.condemned), by: security.guard) { waiting.forEach { $0(result) } }
    }
}
