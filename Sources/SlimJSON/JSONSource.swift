/// The text that values came from: tells where in it they stand.
package final class JSONSource: Sendable {
    package let file: String
    private let text: [UInt8]

    package init(_ text: [UInt8], file: String) {
        self.text = text
        self.file = file
    }

    /// Parses the text.
    package func value() throws(ConfigurationError) -> JSONValue {
        JSONValue(node: try JSONParser.parse(text, file: file), source: self, path: .root)
    }

    /// The place of a value, or of a key that has none that counts.
    func place(of path: JSONPath, key: String?) -> ConfigurationError.Place {
        guard let (line, column) = JSONParser.position(of: path, key: key, in: text) else {
            return .path(path.description)
        }
        return .value(path: path.description, line: line, column: column)
    }
}
