package import SlimRegistry

/// A JSON value and where it stands: reads it as what it is to be, or says what and where is wrong.
package struct JSONValue: Sendable {
    package let node: JSONNode
    package let source: JSONSource
    package let path: JSONPath

    package func error(_ problem: String, _ remedy: String) -> ConfigurationError {
        error(atKey: nil, problem, remedy)
    }

    /// An error of this value whose place is one of its keys.
    package func error(atKey key: String?, _ problem: String, _ remedy: String) -> ConfigurationError {
        ConfigurationError(
            file: source.file, place: source.place(of: path, key: key), problem: problem, remedy: remedy)
    }

    private func mismatch(_ wanted: String) -> ConfigurationError {
        error("is \(node.kind)", "write \(wanted)")
    }

    package func string() throws(ConfigurationError) -> String {
        guard case .string(let text) = node else { throw mismatch("a string") }
        return text
    }

    package func bool() throws(ConfigurationError) -> Bool {
        guard case .bool(let value) = node else { throw mismatch("true or false") }
        return value
    }

    package func integer(in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard case .number(let text) = node else { throw mismatch("a number") }
        guard let value = Int(text), range.contains(value) else {
            throw error(
                "\(text.prefix(40)) is out of range", "write an integer from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    package func array() throws(ConfigurationError) -> [JSONValue] {
        guard case .array(let elements) = node else { throw mismatch("an array: [ ... ]") }
        return elements.enumerated().map { JSONValue(node: $1, source: source, path: .element($0, of: path)) }
    }

    /// The keys of an object that names its members itself, in the order of the text.
    package func members() throws(ConfigurationError) -> [(key: String, value: JSONValue)] {
        guard case .object(let members) = node else { throw mismatch("an object: { ... }") }
        return members.map { member in
            (member.key, JSONValue(node: member.value, source: source, path: .key(member.key, of: path)))
        }
    }

    package func choice<Value: RawRepresentable & CaseIterable>(
        of _: Value.Type
    ) throws(ConfigurationError) -> Value where Value.RawValue == String {
        let text = try string()
        guard let value = Value(rawValue: text) else {
            let choices = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("\(quoted(text)) is not a choice here", "write one of: \(choices)")
        }
        return value
    }

    package func port() throws(ConfigurationError) -> Port {
        Port(UInt16(truncatingIfNeeded: try integer(in: 1...65535)))
    }

    package func subnet() throws(ConfigurationError) -> Subnet {
        let text = try string()
        if let subnet = Subnet(text) { return subnet }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
            (0...address.bitWidth).contains(length),
            let start = Subnet(address.masked(to: length), length: length)
        {
            throw error("\(quoted(text)) has bits set beyond the prefix", "write \(start)")
        }
        throw error(
            "\(quoted(text)) is not a subnet in CIDR notation", "write one such as 10.32.1.0/24 or fd00:32:0:1::/64")
    }
}
