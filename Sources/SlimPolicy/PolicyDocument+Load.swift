package import SlimJSON

extension PolicyDocument {
    /// Beyond this a file is no policy: 100,000 rules stay below it.
    package static let largestBytes = 16 << 20

    /// Reads and checks a file.
    package static func load(_ path: String) throws(ConfigurationError) -> PolicyDocument {
        try PolicyDocument(try JSONFile.read(path, largestBytes: largestBytes))
    }

    /// Reads and checks the text of a file.
    ///
    /// - Parameter file: named in errors.
    package static func parse(_ text: [UInt8], file: String) throws(ConfigurationError) -> PolicyDocument {
        guard text.count <= largestBytes else {
            throw ConfigurationError(
                file: file, place: .file, problem: "larger than \(largestBytes >> 20) MiB",
                remedy: "is this the right file?")
        }
        return try PolicyDocument(try JSONSource(text, file: file).value())
    }

    enum Key: String, CodingKey, CaseIterable {
        case schema = "$schema"
        case version, description, defaultAction, isolate, rules, bandwidth, qos
    }

    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        // For editors; what it says is of no concern here.
        _ = try object.optional(.schema)?.string()
        _ = try object.required(.version).integer(in: Self.version...Self.version)
        self.init(
            description: try object.optional(.description)?.string(),
            defaults: try object.optional(.defaultAction).map { (value) throws(ConfigurationError) in
                try PolicyDefaults(value)
            } ?? PolicyDefaults(),
            isolations: try object.optional(.isolate)?.namedList(PolicyIsolation.init, \.name) ?? [],
            rules: try object.optional(.rules)?.namedList(PolicyRule.init, \.name) ?? [],
            bandwidth: try object.optional(.bandwidth)?.namedList(PolicyBandwidth.init, \.name) ?? [],
            qos: try object.optional(.qos)?.namedList(PolicyQoS.init, \.name) ?? [])
    }
}

extension PolicyDefaults {
    enum Key: String, CodingKey, CaseIterable { case ingress, egress, mode }

    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        let mode = try object.optional(.mode)?.choice(of: DenyMode.self) ?? .reject
        func action(_ key: Key) throws(ConfigurationError) -> PolicyAction {
            try object.optional(key)?.choice(of: PolicyAction.Name.self) == .deny ? .deny(mode) : .allow
        }
        self.init(ingress: try action(.ingress), egress: try action(.egress))
        if ingress == .allow, egress == .allow, let mode = object.optional(.mode) {
            throw mode.error("nothing is denied here", "remove the key, or deny a direction")
        }
    }
}
