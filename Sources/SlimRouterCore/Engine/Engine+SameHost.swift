internal import SlimSystem

/// Connections between two containers of this host.
extension Engine {
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
}
