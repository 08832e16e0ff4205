internal import SlimJSON
package import SlimRegistry

/// Another host of the cluster: an element of `peers`, or a file of the directory of peers.
package struct Peer: Equatable, Sendable {
    package var name: String
    /// Its address in the underlay.
    package var address: IPAddress
    /// What it owns of the overlay, at most one per family.
    package var subnets: [Subnet]
    /// A file with the only certificate that this host is believed with; `nil`: any that the authority has issued to it.
    package var certificate: String?

    enum Key: String, CodingKey, CaseIterable { case name, address, subnets, certificate }

    package init(name: String, address: IPAddress, subnets: [Subnet], certificate: String? = nil) {
        self.name = name
        self.address = address
        self.subnets = subnets
        self.certificate = certificate
    }
}

extension Peer: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        self.init(
            name: try object.required(.name).hostName(), address: try object.required(.address).address(),
            subnets: try object.required(.subnets).subnets(),
            certificate: try object.optional(.certificate)?.filePath())
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(address.description, forKey: .address)
        try container.encode(subnets.map(\.description), forKey: .subnets)
        try container.encodeIfPresent(certificate, forKey: .certificate)
    }
}
