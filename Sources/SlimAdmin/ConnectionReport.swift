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

    /// What the kernel counts of a connection (`TCP_INFO`).
    package struct Traffic: Codable, Equatable, Sendable {
        package var bytesSent: UInt64
        package var bytesReceived: UInt64
        /// The smoothed round-trip time.
        package var rttMicroseconds: UInt32
        /// Segments sent again.
        package var retransmissions: UInt32

        package init(bytesSent: UInt64, bytesReceived: UInt64, rttMicroseconds: UInt32, retransmissions: UInt32) {
            self.bytesSent = bytesSent
            self.bytesReceived = bytesReceived
            self.rttMicroseconds = rttMicroseconds
            self.retransmissions = retransmissions
        }
    }

    package var container: String
    /// Overlay address and port at the container's end.
    package var local: String
    package var remote: String
    /// The container at the other end; absent when none is known by that address.
    package var remoteContainer: String?
    /// The host at the other end; absent when it is none of the cluster.
    package var peerHost: String?
    package var direction: Direction
    package var path: Path
    package var ageSeconds: UInt64
    /// The rule of this host's policy that allows it, or the default that does.
    package var allowedBy: String?
    /// Of its socket now; absent when the kernel no longer has it.
    package var traffic: Traffic?
    /// The kernel's number for the socket, as `ss -e` shows it (there in hexadecimal, `sk:`).
    package var cookie: UInt64

    package init(
        container: String, local: String, remote: String, remoteContainer: String? = nil, peerHost: String? = nil,
        direction: Direction, path: Path,
        ageSeconds: UInt64 = 0, allowedBy: String? = nil, traffic: Traffic? = nil, cookie: UInt64 = 0
    ) {
        self.container = container
        self.local = local
        self.remote = remote
        self.remoteContainer = remoteContainer
        self.peerHost = peerHost
        self.direction = direction
        self.path = path
        self.ageSeconds = ageSeconds
        self.allowedBy = allowedBy
        self.traffic = traffic
        self.cookie = cookie
    }
}
