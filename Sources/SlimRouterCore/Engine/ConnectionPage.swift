internal import SlimAdmin
internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem

/// A part of the live connections, as the connection thread knows them. Made into text elsewhere: that takes longer than
/// finding them.
struct ConnectionPage: Sendable {
    struct Entry: Sendable {
        let cookie: SocketCookie
        let connection: Connection
        let container: String?
        let remoteContainer: String?
        /// `nil` for this host.
        let remoteHost: String?
        let allowedBy: String?
    }

    /// This one.
    let host: String
    var entries: [Entry] = []
    /// Where the next part begins; `nil` at the end.
    var next: UInt32?

    /// - Parameter traffic: what the kernel counts, by socket.
    func reports(_ traffic: [SocketCookie: SocketTraffic] = [:]) -> [ConnectionReport] {
        let now = wallClockSeconds()
        return entries.map { report($0, traffic[$0.cookie], now) }
    }

    private func report(_ entry: Entry, _ traffic: SocketTraffic?, _ now: UInt64) -> ConnectionReport {
        let connection = entry.connection
        return ConnectionReport(
            container: entry.container ?? "-", local: connection.local.description,
            remote: connection.peer.description, remoteContainer: entry.remoteContainer,
            peerHost: entry.remoteHost ?? host, direction: connection.direction == .outgoing ? .outgoing : .incoming,
            path: entry.remoteHost == nil ? .sameHost : .remote, ageSeconds: now - min(now, connection.since),
            allowedBy: entry.allowedBy,
            traffic: traffic.map {
                ConnectionReport.Traffic(
                    bytesSent: $0.bytesSent, bytesReceived: $0.bytesReceived, rttMicroseconds: $0.rttMicroseconds,
                    retransmissions: $0.retransmissions)
            }, cookie: entry.cookie.rawValue)
    }
}
