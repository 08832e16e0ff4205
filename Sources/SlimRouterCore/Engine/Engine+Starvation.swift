internal import SlimSystem
internal import SystemPackage

/// A full descriptor table: what waits to be accepted stays readable, and the thread would do nothing but fail. It looks
/// away from that socket for a tick instead.
extension Engine {
    /// - Returns: whether the error is one of too few descriptors, and the socket is left alone for now.
    func starve(_ error: Errno, of descriptor: CInt, _ token: UInt64) -> Bool {
        guard error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem else { return false }
        log.error(
            "descriptors",
            "\(error): what cannot be accepted waits; raise the limit of slimrouter (ulimit -n, LimitNOFILE)")
        try? epoll.change(descriptor, [], token: token)
        starved.append((descriptor, token))
        starvedResume = .now + Self.tick
        return true
    }

    /// Hangs up on a program that there is no descriptor for: it makes plain calls at once instead of waiting for an answer.
    ///
    /// - Returns: `false` when none waits, or nothing is left to do it with.
    func hangUp(on door: CInt) -> Bool {
        reserve = nil
        defer { reserve = Self.newReserve() }
        do throws(Errno) { return try LocalSocket.accept(door) != nil } catch { return false }
    }

    static func newReserve() -> OwnedDescriptor? { try? StreamSocket.open(.v4, nonblocking: true) }

    /// Looks again at what was left alone.
    func feedStarved() {
        starvedResume = nil
        let waiting = starved
        starved = []
        for (descriptor, token) in waiting {
            switch sources[token] {
            // Gone meanwhile: the number may be another's.
            case .vacant: continue
            case .original(let listener) where listener.isPaused: continue
            default: try? epoll.change(descriptor, .read, token: token)
            }
        }
    }
}
