/// A container that a router serves: `GET /v1/containers`.
package struct ContainerReport: Codable, Equatable, Sendable {
    package var name: String
    package var ipv4: String?
    package var ipv6: String?
    /// The path of its network namespace as it was attached.
    package var netns: String
    package var labels: [String: String]
    /// Connections of its processes to the router.
    package var sockets: Int
    package var listeners: Int
    package var connections: Int

    package init(
        name: String, ipv4: String?, ipv6: String?, netns: String, labels: [String: String] = [:], sockets: Int = 0,
        listeners: Int = 0, connections: Int = 0
    ) {
        self.name = name
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.netns = netns
        self.labels = labels
        self.sockets = sockets
        self.listeners = listeners
        self.connections = connections
    }
}
