internal import SlimSystem
internal import Synchronization
internal import SystemPackage

/// The way to the connection thread from every other: closures that run there, in order.
final class Mailbox: Sendable {
    typealias Work = @Sendable (Engine) -> Void

    private let pending = Mutex<[Work]>([])
    private let wakeUp: WakeUp

    init() throws(Errno) { wakeUp = try WakeUp() }

    /// For registration with epoll.
    var descriptor: CInt { wakeUp.raw }

    /// Has a closure run on the connection thread. Never blocks for long.
    func post(_ work: @escaping Work) {
        let isFirst = pending.withLock { pending in
            pending.append(work)
            return pending.count == 1
        }
        if isFirst { wakeUp.signal() }
    }

    /// Asks the connection thread a question.
    func ask<Answer: Sendable>(_ question: @escaping @Sendable (Engine) -> Answer) async -> Answer {
        await withCheckedContinuation { continuation in
            post { engine in continuation.resume(returning: question(engine)) }
        }
    }

    /// Takes everything that waits. Called on the connection thread only.
    func takeAll() -> [Work] {
        wakeUp.clear()
        return pending.withLock { pending in
            let work = pending
            pending = []
            return work
        }
    }
}
