/// What a router knows of another host: `GET /v1/hosts`.
package struct HostReport: Codable, Equatable, Sendable {
    package var name: String
    /// Its address in the underlay.
    package var address: String
    package var subnets: [String]
    /// Whether the two routers have a control connection.
    package var connected: Bool
    /// Why not; absent when connected.
    package var reason: String?
    /// Where it accepts the connections of containers; empty as long as it has not told.
    package var dataPorts: [UInt16]
    /// Whether data in a SYN reaches it (TCP Fast Open); where a firewall drops it, connections begin without.
    package var fastOpen: Bool

    package init(
        name: String, address: String, subnets: [String], connected: Bool, reason: String? = nil,
        dataPorts: [UInt16] = [], fastOpen: Bool = true
    ) {
        self.name = name
        self.address = address
        self.subnets = subnets
        self.connected = connected
        self.reason = reason
        self.dataPorts = dataPorts
        self.fastOpen = fastOpen
    }
}
