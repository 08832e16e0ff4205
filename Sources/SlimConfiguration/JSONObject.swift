/// A JSON object whose keys are known: any other key is an error.
struct JSONObject<Key: CodingKey & CaseIterable> {
    private let members: [String: JSONNode]
    private let file: String
    private let path: String

    /// Takes a value that is to be an object.
    init(_ value: JSONValue, keys: Key.Type) throws(ConfigurationError) {
        guard case .object(let members) = value.node else {
            throw value.error("is \(value.node.kind)", "write an object: { ... }")
        }
        file = value.file
        path = value.path
        var known: [String: JSONNode] = [:]
        for member in members {
            guard Key(stringValue: member.key) != nil else {
                throw value.error("unknown key \(quoted(member.key))", Self.remedy(for: member.key))
            }
            known[member.key] = member.value
        }
        self.members = known
    }

    /// The value of a key; `nil` when the key is absent.
    func optional(_ key: Key) -> JSONValue? {
        members[key.stringValue].map { JSONValue(node: $0, file: file, path: child(key)) }
    }

    func required(_ key: Key) throws(ConfigurationError) -> JSONValue {
        guard let value = optional(key) else {
            throw ConfigurationError(
                file: file, place: .path(path), problem: "the key \"\(key.stringValue)\" is missing", remedy: "add it")
        }
        return value
    }

    private func child(_ key: Key) -> String { path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)" }

    private static func remedy(for key: String) -> String {
        let known = Key.allCases.map(\.stringValue)
        let nearest = known.map { (key: $0, distance: editDistance($0.lowercased(), key.lowercased())) }
            .min { $0.distance < $1.distance }
        if let nearest, nearest.distance <= 2 { return "did you mean \"\(nearest.key)\"?" }
        return "known here: \(known.joined(separator: ", "))"
    }

    /// The Levenshtein distance.
    private static func editDistance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.unicodeScalars.prefix(64)), Array(b.unicodeScalars.prefix(64)))
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
