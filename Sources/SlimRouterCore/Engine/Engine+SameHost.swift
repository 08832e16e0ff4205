internal import SlimGuard
internal import SlimPolicy
internal import SlimSystem

/// Connections between two containers of this host.
extension Engine {
    /// Whether connections can be joined: found out when the first program asks.
    enum Joining {
        case unasked, impossible
        case ready(SocketPairs)
    }

    private static let withinHost = "reno"

    /// Takes a host socket out of the hands of the host's congestion control. What passes no network meets no congestion, and
    /// one that measures the path to pace by it (BBR) costs most of the throughput. Reno is the simplest, and in every kernel.
    ///
    /// To be called before the application's own options are copied: what it has chosen for itself stays. A socket that was
    /// paced once is so for ever: so data ports are told, before anything is accepted from them.
    func unpace(_ socket: CInt) { try? StreamSocket.setCongestionControl(socket, Self.withinHost) }

    /// Gives what has come from another host the host's congestion control.
    func pace(_ socket: CInt) {
        if let congestionControl { try? StreamSocket.setCongestionControl(socket, congestionControl) }
    }

    static func hostCongestionControl() -> String? {
        guard let socket = try? StreamSocket.open(.v4, nonblocking: false),
            let name = try? StreamSocket.congestionControl(socket.raw), name != withinHost
        else { return nil }
        return name
    }

    /// Joins a connection within this host, where both programs have asked for it. The preamble is read by now; what the
    /// client has sent besides stays before what follows.
    func join(_ connection: CInt, _ preamble: Preamble, _ listener: Listener) {
        // Rates and priorities are of TCP's packets; and guarded sockets have not been attacked while they were joined.
        guard preamble.flags.contains(.joined), listener.isJoining, case .ready(let pairs) = joining,
            case .off = security, !policy.isShaping
        else { return }
        if pairs.join(connection) { counters.joined += 1 } else { counters.joinsRefused += 1 }
    }

    /// - Returns: whether connections can be joined here.
    func loadPairs() -> Bool {
        if case .unasked = joining {
            do throws(GuardError) {
                joining = .ready(try SocketPairs(directory: settings.directory))
                suspendPairs()
            } catch {
                joining = .impossible
                log.warning("join", "connections within this host are not joined (SLIM_SAME_HOST): \(error)")
            }
        }
        guard case .ready = joining else { return false }
        return true
    }

    /// Connections that an earlier router has joined must hear of policies, too.
    func takeOverPairs() {
        if SocketPairs.areKept(in: settings.directory) { _ = loadPairs() }
    }

    /// While there are rates or priorities TCP carries everything, also between ends that are joined.
    func suspendPairs() {
        guard case .ready(let pairs) = joining else { return }
        pairs.suspend(policy.isShaping)
    }
}
