/// A live connection of a container: `GET /v1/connections`.
package struct ConnectionReport: Codable, Equatable, Sendable {
    package enum Direction: String, Codable, Sendable { case outgoing, incoming }

    /// What carries the connection.
    package enum Path: String, Codable, Sendable {
        /// A TCP connection between the two hosts.
        case remote
        /// Both ends are on this host.
        case sameHost
        /// The packet overlay.
        case overlay
    }

    package var container: String
    /// Overlay address and port at the container's end.
    package var local: String
    package var remote: String
    /// The host at the other end; absent when it is none of the cluster.
    package var peerHost: String?
    package var direction: Direction
    package var path: Path
    package var ageSeconds: UInt64
    /// The kernel's number for the socket, as `ss -e` shows it (there in hexadecimal, `sk:`).
    package var cookie: UInt64

    package init(
        container: String, local: String, remote: String, peerHost: String? = nil, direction: Direction, path: Path,
        ageSeconds: UInt64 = 0, cookie: UInt64 = 0
    ) {
        self.container = container
        self.local = local
        self.remote = remote
        self.peerHost = peerHost
        self.direction = direction
        self.path = path
        self.ageSeconds = ageSeconds
        self.cookie = cookie
    }
}
