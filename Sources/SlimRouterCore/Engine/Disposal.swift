internal import SlimSystem
internal import SystemPackage
internal import Synchronization

/// Closes what a container has sent, where that may take long: on threads of the container's own.
///
/// The last descriptor of a socket with SO_LINGER whose peer does not answer takes hours to close, one of a file system
/// in user space for ever, and a Unix socket takes with it whatever was sent to it and not read. The connection thread
/// must not wait for any of them.
final class Disposal: Sendable {
    private struct State {
        var waiting: [CInt] = []
        var threads = 0
        /// When the last one was begun with.
        var progress = ContinuousClock.now

        var pending: Int { waiting.count + threads }
    }

    private static let mostThreads = 4
    private static let patience: Duration = .seconds(1)
    private let state = Mutex(State())

    /// How many descriptors are not closed yet.
    var pending: Int { state.withLock { $0.pending } }

    /// Whether there are more to close than there should be, and it is not for lack of time: programs that end at once on a
    /// busy machine leave many, too, for a moment.
    func isStuck(beyond limit: Int) -> Bool {
        state.withLock { state in
            guard state.pending >= limit else { return false }
            return state.pending >= limit * 4 || state.progress + Self.patience <= .now
        }
    }

    func close(_ descriptor: consuming OwnedDescriptor) {
        let raw = descriptor.release()
        let wantsThread = state.withLock { state in
            state.waiting.append(raw)
            guard state.threads < Self.mostThreads else { return false }
            state.threads += 1
            return true
        }
        guard wantsThread else { return }
        do throws(Errno) { try startThread(named: "slim-close") { [self] in work() } } catch {
            state.withLock { $0.threads -= 1 }
        }
    }

    private func work() {
        while true {
            let raw = state.withLock { state -> CInt? in
                state.progress = .now
                if let next = state.waiting.popLast() { return next }
                state.threads -= 1
                return nil
            }
            guard let raw else { return }
            _ = OwnedDescriptor(raw)
        }
    }
}
