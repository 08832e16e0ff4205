/// Who a container is, as its host's router tells the others: what policies select it by.
package struct ContainerIdentity: Codable, Hashable, Sendable {
    /// Unique on its host.
    package let name: String
    /// Its overlay addresses: at most one per family.
    package let addresses: [IPAddress]
    package let labels: [String: String]

    package init(name: String, addresses: [IPAddress], labels: [String: String]) {
        self.name = name
        self.addresses = addresses
        self.labels = labels
    }

    private enum Key: String, CodingKey { case name, addresses, labels }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        name = try fields.decode(String.self, forKey: .name)
        labels = try fields.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        addresses = try fields.decode([String].self, forKey: .addresses).map { text in
            guard let address = IPAddress(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .addresses, in: fields, debugDescription: "not an IP address")
            }
            return address
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(addresses.map(\.description), forKey: .addresses)
        try fields.encode(labels, forKey: .labels)
    }
}
