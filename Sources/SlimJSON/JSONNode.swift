/// One value of a JSON text.
package indirect enum JSONNode: Equatable, Sendable {
    case null
    case bool(Bool)
    /// As written: whether it is an integer in range is for the reader to say.
    case number(String)
    case string(String)
    case array([JSONNode])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package let key: String
        package let value: JSONNode

        package init(key: String, value: JSONNode) {
            self.key = key
            self.value = value
        }
    }

    /// What a message calls a value of this kind.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
