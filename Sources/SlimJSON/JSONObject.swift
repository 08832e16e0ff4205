/// A JSON object whose keys are known: any other key is an error.
package struct JSONObject<Key: CodingKey & CaseIterable> {
    private let members: [JSONNode.Member]
    private let value: JSONValue

    /// Takes a value that is to be an object.
    package init(_ value: JSONValue, keys: Key.Type) throws(ConfigurationError) {
        guard case .object(let members) = value.node else {
            throw value.error("is \(value.node.kind)", "write an object: { ... }")
        }
        for member in members where Key(stringValue: member.key) == nil {
            throw value.error(
                atKey: member.key, "unknown key \(quoted(member.key))", Self.remedy(for: member.key))
        }
        self.members = members
        self.value = value
    }

    /// The value of a key; `nil` when the key is absent.
    package func optional(_ key: Key) -> JSONValue? {
        let name = key.stringValue
        // No more members than there are keys: looking at each is quicker than a dictionary.
        return members.first { $0.key == name }.map {
            JSONValue(node: $0.value, source: value.source, path: .key(name, of: value.path))
        }
    }

    package func required(_ key: Key) throws(ConfigurationError) -> JSONValue {
        guard let found = optional(key) else {
            throw value.error("the key \"\(key.stringValue)\" is missing", "add it")
        }
        return found
    }

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
