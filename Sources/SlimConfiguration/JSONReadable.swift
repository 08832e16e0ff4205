internal import SlimJSON

/// A part of a configuration file that is read from one JSON value.
protocol JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError)
}

extension JSONValue {
    func read<Value: JSONReadable>(_: Value.Type) throws(ConfigurationError) -> Value { try Value(self) }

    func readArray<Value: JSONReadable>(of _: Value.Type) throws(ConfigurationError) -> [Value] {
        var values: [Value] = []
        for element in try array() { values.append(try Value(element)) }
        return values
    }
}
