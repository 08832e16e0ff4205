internal import SlimJSON

/// What the router logs, and how.
package struct LogSettings: Equatable, Sendable {
    /// The least severe events that are logged, by the names of swift-log.
    package enum Level: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, CaseIterable, Sendable { case text, json }

    package var level: Level
    package var format: Format

    enum Key: String, CodingKey, CaseIterable { case level, format }

    package init(level: Level = .info, format: Format = .text) {
        self.level = level
        self.format = format
    }
}

extension LogSettings: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        self.init(
            level: try object.optional(.level)?.choice(of: Level.self) ?? .info,
            format: try object.optional(.format)?.choice(of: Format.self) ?? .text)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(level.rawValue, forKey: .level)
        try container.encode(format.rawValue, forKey: .format)
    }
}
