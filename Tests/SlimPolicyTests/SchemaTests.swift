import FoundationEssentials
import SlimJSON
import Testing

@testable import SlimPolicy

/// Policies/schema.json says what the code reads, and every policy beside it is one.
@Suite struct SchemaTests {
    /// Of the folder that holds Package.swift.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let policies = ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/Policies")) ?? [])
        .filter { $0.hasSuffix(".json") && $0 != "schema.json" }.sorted()

    private let schema: JSONNode

    init() throws { schema = try Self.read("schema.json") }

    private static func read(_ name: String) throws -> JSONNode {
        let file = "\(root)/Policies/\(name)"
        return try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: file))), file: file)
    }

    private func expectKeys<Key: CodingKey & CaseIterable>(_: Key.Type, _ path: String...) {
        let node = path.reduce(schema) { $0[$1] }
        guard case .object(let members) = node["properties"] else {
            Issue.record("no properties at \(path)")
            return
        }
        #expect(Set(members.map(\.key)) == Set(Key.allCases.map(\.stringValue)), "at \(path)")
        #expect(node["additionalProperties"] == .bool(false), "at \(path)")
    }

    @Test func `every key of the code is in the schema and the other way round`() {
        expectKeys(PolicyDocument.Key.self)
        expectKeys(PolicyDefaults.Key.self, "properties", "defaultAction")
        expectKeys(PolicyRule.Key.self, "$defs", "rule")
        expectKeys(PolicyIsolation.Key.self, "$defs", "isolation")
        expectKeys(PolicyBandwidth.Key.self, "$defs", "bandwidth")
        expectKeys(PolicyBandwidth.ConnectionKey.self, "$defs", "bandwidth", "properties", "perConnection")
        expectKeys(RateLimit.Key.self, "$defs", "limit")
        expectKeys(PolicyQoS.Key.self, "$defs", "qos")
        let selectors = schema["$defs"]["selector"]["anyOf"].elements
        let keys = selectors.flatMap { selector -> [String] in
            guard case .object(let members) = selector["properties"] else { return [] }
            return members.map(\.key)
        }
        #expect(keys.sorted() == PolicySelector.Key.allCases.map(\.stringValue).sorted())
        let tests = schema["$defs"]["labelTest"]["anyOf"].elements.last?["properties"]
        if case .object(let members) = tests {
            #expect(Set(members.map(\.key)) == Set(LabelRequirement.Key.allCases.map(\.stringValue)))
        } else {
            Issue.record("no label tests")
        }
    }

    @Test func `choices are those of the code`() {
        func choices(_ texts: [String]) -> JSONNode { .array(texts.map { .string($0) }) }
        let definitions = schema["$defs"]
        #expect(definitions["mode"]["enum"] == choices(DenyMode.allCases.map(\.rawValue)))
        #expect(definitions["direction"]["enum"] == choices(PolicyScope.allCases.map(\.rawValue)))
        #expect(definitions["protocol"]["enum"] == choices(ProtocolChoice.allCases.map(\.rawValue)))
        #expect(
            definitions["rule"]["properties"]["action"]["enum"] == choices(PolicyAction.Name.allCases.map(\.rawValue)))
        let qos = definitions["qos"]["properties"]
        #expect(qos["class"]["anyOf"].elements.first?["enum"] == choices(TrafficPriority.named.map(\.name)))
        #expect(qos["dscp"]["anyOf"].elements.first?["enum"] == choices(DSCP.named.map(\.name)))
        #expect(
            definitions["selector"]["anyOf"].elements.first?["enum"]
                == choices(PolicySelector.Word.allCases.map(\.rawValue)))
        #expect(schema["properties"]["version"]["const"].integer == PolicyDocument.version)
    }

    @Test(arguments: policies) func `every policy of the folder is taken by the code and by the schema`(name: String)
        throws
    {
        let document = try PolicyDocument.load("\(Self.root)/Policies/\(name)")
        #expect(document.description != nil)
        #expect(try SchemaValidator(schema).complaints(try Self.read(name)) == [])
        #expect(try PolicyDocument.parse(Array(document.text.utf8), file: name) == document)
    }

    @Test func `the folder shows every part of a policy`() throws {
        #expect(Self.policies.count >= 7)
        let all = try Self.policies.map { try PolicyDocument.load("\(Self.root)/Policies/\($0)") }
        #expect(all.contains { !$0.isolations.isEmpty } && all.contains { !$0.rules.isEmpty })
        #expect(all.contains { !$0.bandwidth.isEmpty } && all.contains { !$0.qos.isEmpty })
    }

    @Test func `the schema takes what the code takes`() throws {
        var random = RandomPolicy(random: SeededGenerator(seed: 21))
        let validator = SchemaValidator(schema)
        for _ in 0..<100 {
            let text = random.text()
            let complaints = try validator.complaints(try JSONParser.parse(Array(text.utf8), file: "random"))
            #expect(complaints == [], "\(text)")
        }
    }

    @Test(arguments: [
        #"{}"#, #"{"version": 2}"#, #"{"version": 1, "rule": []}"#, #"{"version": 1, "rules": [{"name": "r"}]}"#,
        #"{"version": 1, "rules": [{"name": "r", "action": "allow", "from": "any", "to": {}}]}"#,
        #"{"version": 1, "rules": [{"name": "r", "action": "allow", "from": "any", "to": []}]}"#,
        #"{"version": 1, "rules": [{"name": "r", "action": "allow", "from": "any", "to": "any", "ports": [0]}]}"#,
        #"{"version": 1, "rules": [{"name": "r", "action": "allow", "from": "any", "to": {"cidr": "a"}}]}"#,
        #"{"version": 1, "bandwidth": [{"name": "b", "select": "any"}]}"#,
        #"{"version": 1, "qos": [{"name": "q", "select": "any", "dscp": 64}]}"#,
    ])
    func `the schema refuses what it can see to be wrong`(text: String) throws {
        #expect(try SchemaValidator(schema).complaints(try JSONParser.parse(Array(text.utf8), file: "bad")) != [])
    }
}
