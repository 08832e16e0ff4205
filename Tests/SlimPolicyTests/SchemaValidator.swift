import SlimJSON

/// The part of JSON Schema 2020-12 that Policies/schema.json uses; any other keyword is a complaint.
struct SchemaValidator {
    private let root: JSONNode
    private static let annotations: Set<String> = [
        "$schema", "title", "description", "default", "examples", "$defs", "$ref",
    ]

    init(_ schema: JSONNode) { root = schema }

    /// What is wrong with a value; empty when nothing is.
    func complaints(_ value: JSONNode) throws -> [String] { try check(value, root, "") }

    private func check(_ value: JSONNode, _ schema: JSONNode, _ path: String) throws -> [String] {
        if case .bool(let accepts) = schema { return accepts ? [] : ["\(path): not expected"] }
        guard case .object(let keywords) = schema else { return ["\(path): the schema is no object"] }
        var complaints: [String] = []
        if let reference = schema["$ref"].text {
            let target = reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] }
            complaints += try check(value, target, path)
        }
        for keyword in keywords where !Self.annotations.contains(keyword.key) {
            if let problem = try apply(keyword.key, keyword.value, schema, value, path) { complaints += problem }
        }
        return complaints
    }

    private func apply(
        _ keyword: String, _ argument: JSONNode, _ schema: JSONNode, _ value: JSONNode, _ path: String
    ) throws -> [String]? {
        let number = argument.integer ?? 0
        func require(_ holds: Bool) -> [String] { holds ? [] : ["\(path): \(keyword)"] }
        switch keyword {
        case "type": return require(Self.hasType(value, argument.text ?? ""))
        case "const": return require(value == argument)
        case "enum": return require(argument.elements.contains(value))
        case "minimum": return require(value.integer.map { $0 >= number } ?? true)
        case "maximum": return require(value.integer.map { $0 <= number } ?? true)
        case "minLength": return require(value.text.map { $0.utf8.count >= number } ?? true)
        case "maxLength": return require(value.text.map { $0.utf8.count <= number } ?? true)
        case "pattern":
            let pattern = try Regex(argument.text ?? "")
            return require(value.text.map { $0.contains(pattern) } ?? true)
        case "minItems": return Self.isArray(value) ? require(value.elements.count >= number) : []
        case "uniqueItems":
            let items = value.elements
            return require(items.indices.allSatisfy { !items[..<$0].contains(items[$0]) })
        case "items":
            return try value.elements.enumerated().flatMap { try check($1, argument, "\(path)[\($0)]") }
        case "anyOf":
            let all = try argument.elements.map { try check(value, $0, path) }
            return all.contains { $0.isEmpty } ? [] : ["\(path): none of anyOf"] + all.joined()
        case "required":
            return argument.elements.compactMap(\.text).filter { value[$0] == .null && Self.isObject(value) }
                .map { "\(path): \($0) is missing" }
        case "minProperties":
            guard case .object(let members) = value else { return [] }
            return require(members.count >= number)
        case "properties":
            return try members(value).flatMap { member in
                argument[member.key] == .null
                    ? [] : try check(member.value, argument[member.key], "\(path).\(member.key)")
            }
        case "additionalProperties":
            return try members(value).filter { schema["properties"][$0.key] == .null }
                .flatMap { try check($0.value, argument, "\(path).\($0.key)") }
        case "propertyNames": return try members(value).flatMap { try check(.string($0.key), argument, path) }
        default: return ["the keyword \(keyword) is not known here"]
        }
    }

    private func members(_ value: JSONNode) -> [JSONNode.Member] {
        if case .object(let members) = value { members } else { [] }
    }

    private static func isArray(_ value: JSONNode) -> Bool { if case .array = value { true } else { false } }
    private static func isObject(_ value: JSONNode) -> Bool { if case .object = value { true } else { false } }

    private static func hasType(_ value: JSONNode, _ type: String) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool): true
        case ("integer", .number): value.integer != nil
        default: false
        }
    }
}
