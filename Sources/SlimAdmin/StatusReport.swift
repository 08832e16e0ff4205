/// What a router says about itself: `GET /v1/status`.
package struct StatusReport: Codable, Equatable, Sendable {
    package var name: String
    /// The version of Slim.
    package var version: String
    package var pid: Int32
    package var uptimeSeconds: UInt64
    /// The host's address in the underlay.
    package var underlay: String
    package var subnets: [String]
    /// Where the router keeps its sockets and state.
    package var directory: String
    /// Numbers by name: `containers`, `listeners`, `connections` as they are now, and totals since the start.
    package var counts: [String: UInt64]
    package var peersConnected: Int
    package var peersKnown: Int

    package init(
        name: String, version: String, pid: Int32, uptimeSeconds: UInt64, underlay: String, subnets: [String],
        directory: String, counts: [String: UInt64], peersConnected: Int, peersKnown: Int
    ) {
        self.name = name
        self.version = version
        self.pid = pid
        self.uptimeSeconds = uptimeSeconds
        self.underlay = underlay
        self.subnets = subnets
        self.directory = directory
        self.counts = counts
        self.peersConnected = peersConnected
        self.peersKnown = peersKnown
    }
}
