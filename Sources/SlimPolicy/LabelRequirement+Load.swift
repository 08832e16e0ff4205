internal import SlimJSON

extension LabelRequirement {
    enum Key: String, CodingKey, CaseIterable {
        case anyOf = "in"
        case noneOf = "notIn"
        case exists
    }
}

extension JSONValue {
    /// What a label must be: a value, or an object of tests.
    func labelTest() throws(ConfigurationError) -> LabelRequirement.Test {
        if case .string = node { return .anyOf([try labelValue()]) }
        guard case .object = node else {
            throw error(
                "is \(node.kind)", "write a value in quotes, or {\"in\": [...]}, {\"notIn\": [...]}, {\"exists\": true}"
            )
        }
        let object = try JSONObject(self, keys: LabelRequirement.Key.self)
        let exists = try object.optional(.exists)?.bool()
        if let anyOf = object.optional(.anyOf) {
            if object.optional(.noneOf) != nil || exists != nil {
                throw error("\"in\" overlaps the other tests of the same label", "keep \"in\" alone")
            }
            return .anyOf(try anyOf.labelValues())
        }
        if let noneOf = object.optional(.noneOf) {
            if exists == false {
                throw error("\"notIn\" overlaps \"exists\": false", "keep one of the two")
            }
            return .noneOf(try noneOf.labelValues(), isRequired: exists == true)
        }
        guard let exists else { throw error("is an empty selector", "write \"in\", \"notIn\" or \"exists\"") }
        return exists ? .exists : .absent
    }

    private func labelValues() throws(ConfigurationError) -> [String] {
        var values: Set<String> = []
        for element in try array() {
            let value = try element.labelValue()
            guard values.insert(value).inserted else {
                throw element.error("\(quoted(value)) stands in the list twice", "remove one of the two")
            }
        }
        guard !values.isEmpty else { throw error("is an empty selector", "write at least one value") }
        return values.sorted()
    }

    private func labelValue() throws(ConfigurationError) -> String {
        let text = try string()
        guard PolicyText.isLabelValue(text) else {
            throw error("\(quoted(text)) cannot be the value of a label", "write at most 255 printable bytes")
        }
        return text
    }
}
