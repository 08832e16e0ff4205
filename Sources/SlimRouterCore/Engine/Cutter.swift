internal import Dispatch
internal import Logging
internal import SlimNetlink
internal import SlimSystem

/// Ends connections on host sockets, whoever holds them (SOCK_DESTROY): both ends see an error.
///
/// On a queue of its own: listing the sockets of a busy host takes longer than programs should wait.
final class Cutter: Sendable {
    private let queue = DispatchQueue(label: "slim.cutter", qos: .userInitiated)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// - Parameter done: called on the queue when all of them have ended.
    func cut(_ cookies: Set<SocketCookie>, done: @escaping @Sendable () -> Void) {
        queue.async { [logger] in
            do throws(NetlinkError) {
                let diagnostics = try SocketDiagnostics()
                let live = try diagnostics.dump(states: .connections)
                try diagnostics.destroy(live.filter { cookies.contains($0.cookie) })
            } catch {
                logger.error(
                    "connections that the policy no longer allows could not be ended",
                    metadata: ["error": "\(error)", "connections": "\(cookies.count)"])
            }
            done()
        }
    }
}
