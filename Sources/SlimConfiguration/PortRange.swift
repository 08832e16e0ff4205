internal import SlimJSON
package import SlimRegistry

/// Consecutive ports: never empty, none beyond 65535.
package struct PortRange: Equatable, Sendable, CustomStringConvertible {
    package let first: Port
    package let count: Int

    enum Key: String, CodingKey, CaseIterable { case first, count }

    /// The count is taken as far as there are ports.
    package init(first: Port, count: Int) {
        self.first = first
        self.count = max(1, min(count, 65536 - Int(first.rawValue)))
    }

    package var ports: [Port] { (0..<count).map { Port(first.rawValue + UInt16($0)) } }

    package func contains(_ port: Port) -> Bool {
        port >= first && Int(port.rawValue) - Int(first.rawValue) < count
    }

    package var description: String { count == 1 ? "\(first)" : "\(first)-\(Int(first.rawValue) + count - 1)" }
}

extension PortRange: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        let first = try object.optional(.first)?.port() ?? Port(4800)
        let count = try object.optional(.count)?.integer(in: 1...64) ?? 8
        guard Int(first.rawValue) + count <= 65536 else {
            throw value.error("\(count) ports from \(first) end beyond 65535", "start lower or take fewer")
        }
        self.init(first: first, count: count)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(first.rawValue, forKey: .first)
        try container.encode(count, forKey: .count)
    }
}
