internal import SlimJSON

/// How much of the router anyone may take up.
package struct Limits: Equatable, Sendable {
    /// Connections of one container's processes to the router.
    package var socketsPerContainer: Int
    package var listenersPerContainer: Int
    /// Accepted connections of one container that its programs have not yet taken.
    package var parkedPerContainer: Int
    /// Connections that wait, prepared, for programs of one container which connect to the same destination again and
    /// again; 0: none is prepared.
    package var preparedPerContainer: Int
    /// Live connections of all containers.
    package var connections: Int

    enum Key: String, CodingKey, CaseIterable {
        case socketsPerContainer, listenersPerContainer, parkedPerContainer, preparedPerContainer, connections
    }

    package init(
        socketsPerContainer: Int = 1024, listenersPerContainer: Int = 4096, parkedPerContainer: Int = 4096,
        preparedPerContainer: Int = 256, connections: Int = 200_000
    ) {
        self.socketsPerContainer = socketsPerContainer
        self.listenersPerContainer = listenersPerContainer
        self.parkedPerContainer = parkedPerContainer
        self.preparedPerContainer = preparedPerContainer
        self.connections = connections
    }
}

extension Limits: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        let defaults = Limits()
        let perContainer = 1...1_000_000
        self.init(
            socketsPerContainer: try object.optional(.socketsPerContainer)?.integer(in: perContainer)
                ?? defaults.socketsPerContainer,
            listenersPerContainer: try object.optional(.listenersPerContainer)?.integer(in: perContainer)
                ?? defaults.listenersPerContainer,
            parkedPerContainer: try object.optional(.parkedPerContainer)?.integer(in: perContainer)
                ?? defaults.parkedPerContainer,
            preparedPerContainer: try object.optional(.preparedPerContainer)?.integer(in: 0...4096)
                ?? defaults.preparedPerContainer,
            connections: try object.optional(.connections)?.integer(in: 1...10_000_000) ?? defaults.connections)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(socketsPerContainer, forKey: .socketsPerContainer)
        try container.encode(listenersPerContainer, forKey: .listenersPerContainer)
        try container.encode(parkedPerContainer, forKey: .parkedPerContainer)
        try container.encode(preparedPerContainer, forKey: .preparedPerContainer)
        try container.encode(connections, forKey: .connections)
    }
}
