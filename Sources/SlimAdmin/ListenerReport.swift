/// A listening socket that a router accepts for: `GET /v1/listeners`.
package struct ListenerReport: Codable, Equatable, Sendable {
    package var container: String
    /// Address and port: `10.32.1.2:80`, `[fd00:32:0:1::2]:80`.
    package var address: String
    /// Connections that wait in the router because the program's backlog is full.
    package var backlogParked: Int
    /// Connections since it listens.
    package var accepted: UInt64

    package init(container: String, address: String, backlogParked: Int = 0, accepted: UInt64 = 0) {
        self.container = container
        self.address = address
        self.backlogParked = backlogParked
        self.accepted = accepted
    }
}
