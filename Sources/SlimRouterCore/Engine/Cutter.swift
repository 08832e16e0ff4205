internal import Dispatch
internal import Logging
internal import SlimGuard
internal import SlimNetlink
internal import SlimSystem

/// Ends connections on host sockets, whoever holds them (SOCK_DESTROY): both ends see an error.
///
/// On a queue of its own: listing the sockets of a busy host takes longer than programs should wait.
final class Cutter: Sendable {
    private let queue = DispatchQueue(label: "slim.cutter", qos: .userInitiated)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// - Parameters:
    ///   - states: only those that are in one of them.
    ///   - socketGuard: whose sockets stay dead; without one a holder may use the socket anew.
    ///   - done: called on the queue when all of them have ended.
    func cut(
        _ cookies: [SocketCookie], in states: TCPStates = .connections, by socketGuard: (any SocketGuard)?,
        done: @escaping @Sendable () -> Void
    ) {
        queue.async { [logger] in
            let cookies = Set(cookies)
            do throws(GuardError) {
                if let socketGuard, states == .connections {
                    try socketGuard.revoke(cookies)
                } else {
                    try destroySockets(cookies, in: states)
                }
            } catch {
                logger.error(
                    "connections that the policy no longer allows could not be ended",
                    metadata: ["error": "\(error)", "connections": "\(cookies.count)"])
            }
            done()
        }
    }
}
