internal import SlimJSON

/// The files that a router proves itself with and knows its peers by, all PEM.
package struct Credentials: Equatable, Sendable, Encodable {
    /// The certificate of the cluster's authority.
    package var authority: String
    /// This host's certificate.
    package var certificate: String
    /// The private key of that certificate.
    package var key: String

    enum Key: String, CodingKey, CaseIterable { case authority, certificate, key }

    package init(authority: String, certificate: String, key: String) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(authority, forKey: .authority)
        try container.encode(certificate, forKey: .certificate)
        try container.encode(key, forKey: .key)
    }
}

extension Credentials: JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        self.init(
            authority: try object.required(.authority).filePath(),
            certificate: try object.required(.certificate).filePath(),
            key: try object.required(.key).filePath())
    }
}
