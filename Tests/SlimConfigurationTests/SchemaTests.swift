import FoundationEssentials
import SlimGuard
import SlimJSON
import Testing

@testable import SlimConfiguration

/// docs/router.schema.json says what the code reads: no key more, none less, the same defaults.
@Suite struct SchemaTests {
    private let schema: JSONNode

    init() throws {
        let file = "\(LoadTests.root)/docs/router.schema.json"
        schema = try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: file))), file: file)
    }

    private func member(_ node: JSONNode?, _ key: String) -> JSONNode? {
        guard case .object(let members) = node else { return nil }
        return members.first { $0.key == key }?.value
    }

    private func node(_ path: [String]) -> JSONNode? { path.reduce(schema) { member($0, $1) } }

    private func keys(_ path: [String]) -> Set<String> {
        guard case .object(let members) = node(path + ["properties"]) else { return [] }
        return Set(members.map(\.key))
    }

    private func expectKeys<Key: CodingKey & CaseIterable>(_: Key.Type, _ path: String...) {
        #expect(keys(path) == Set(Key.allCases.map(\.stringValue)), "at \(path)")
        #expect(node(path + ["additionalProperties"]) == .bool(false), "at \(path)")
    }

    @Test func `every key of the type is in the schema and the other way round`() {
        expectKeys(RouterConfiguration.Key.self)
        expectKeys(Underlay.Key.self, "properties", "underlay")
        expectKeys(OverlaySettings.Key.self, "properties", "overlay")
        expectKeys(Ports.Key.self, "properties", "ports")
        expectKeys(PortRange.Key.self, "properties", "ports", "properties", "data")
        expectKeys(Credentials.Key.self, "properties", "pki")
        expectKeys(SecureSettings.Key.self, "properties", "secure")
        expectKeys(Limits.Key.self, "properties", "limits")
        expectKeys(LogSettings.Key.self, "properties", "log")
        expectKeys(Peer.Key.self, "$defs", "peer")
    }

    @Test func `choices and defaults are those of the code`() throws {
        let levels = node(["properties", "log", "properties", "level", "enum"])
        #expect(levels == .array(LogSettings.Level.allCases.map { .string($0.rawValue) }))
        let formats = node(["properties", "log", "properties", "format", "enum"])
        #expect(formats == .array(LogSettings.Format.allCases.map { .string($0.rawValue) }))

        let guards = node(["properties", "secure", "properties", "guard", "enum"])
        #expect(guards == .array(GuardChoice.allCases.map { .string($0.rawValue) }))

        let directory = try TemporaryDirectory()
        let file = try directory.write(LoadTests.minimal, to: "router.json")
        let written = "\(directory.path)/written.json"
        try RouterConfiguration.load(file).write(to: written)
        let defaults = try ConfigurationFile.read(written).node
        for path in [
            ["directory"], ["peers"], ["secure", "required"], ["secure", "guard"], ["overlay", "prefixes"],
            ["overlay", "bridge"], ["overlay", "vxlan"],
            ["overlay", "vxlanID"],
            ["overlay", "vxlanPort"], ["ports", "control"], ["ports", "data", "first"], ["ports", "data", "count"],
            ["limits", "socketsPerContainer"], ["limits", "listenersPerContainer"], ["limits", "parkedPerContainer"],
            ["limits", "preparedPerContainer"], ["limits", "connections"], ["log", "level"], ["log", "format"],
        ] {
            let inSchema = node(path.flatMap { ["properties", $0] } + ["default"])
            let inCode = path.reduce(defaults) { member($0, $1) ?? .null }
            #expect(inSchema == inCode, "at \(path)")
        }
    }
}
