internal import SlimJSON
package import SlimRegistry

/// Where the host is in the network that carries the overlay.
package struct Underlay: Equatable, Sendable {
    package var address: IPAddress

    enum Key: String, CodingKey, CaseIterable { case address }

    package init(address: IPAddress) { self.address = address }
}

extension Underlay: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        address = try JSONObject(value, keys: Key.self).required(.address).address()
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(address.description, forKey: .address)
    }
}
