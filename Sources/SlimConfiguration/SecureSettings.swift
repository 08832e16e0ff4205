package import SlimGuard
internal import SlimJSON

/// Whether host sockets are handed only to containers that can do no harm with them.
package struct SecureSettings: Equatable, Sendable {
    /// Without a guard that works no host socket is handed out: the packet overlay carries all connections.
    package var required: Bool
    /// What makes them harmless.
    package var `guard`: GuardChoice

    enum Key: String, CodingKey, CaseIterable { case required, `guard` }

    package init(required: Bool = false, guard: GuardChoice = .auto) {
        self.required = required
        self.guard = `guard`
    }
}

extension SecureSettings: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        self.init(
            required: try object.optional(.required)?.bool() ?? false,
            guard: try object.optional(.guard)?.choice(of: GuardChoice.self) ?? .auto)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(required, forKey: .required)
        try container.encode(self.guard.rawValue, forKey: .guard)
    }
}
