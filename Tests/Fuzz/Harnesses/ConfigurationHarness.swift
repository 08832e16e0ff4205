import Foundation
import Glibc
import SlimConfiguration
import SlimJSON
import SlimSystem

/// The text of `router.json`: refused in one line, or taken and written again as the same.
final class ConfigurationHarness: Harness {
    static let name = "configurations"
    static let longest = 4096
    static let words =
        [
            "name", "underlay", "overlay", "ports", "pki", "peers", "peersDirectory", "policy", "directory", "secure",
            "limits", "log", "address", "prefixes", "subnets", "bridge", "vxlan", "vxlanID", "vxlanPort", "mtu",
            "control",
            "data", "authority", "certificate", "key", "required", "guard", "auto", "module", "bpf", "connections",
            "listenersPerContainer", "parkedPerContainer", "preparedPerContainer", "socketsPerContainer", "level",
            "info",
            "4800-4815", "10.32.0.0/16", "fd00:32::/48", "192.0.2.1", "::1", "0.0.0.0/0",
        ].map { "\"\($0)\"" } + ["true", "false", "null", "{}", "[]", "-1", "65536", "1e9"]

    private let file: OwnedDescriptor
    private var path: String { "/proc/self/fd/\(file.raw)" }

    init() throws {
        let raw = Sockets.make(.memory)
        try require(raw >= 0, "no memory for a file")
        file = OwnedDescriptor(raw)
    }

    static func seeds() throws -> [[UInt8]] {
        let example = Project.root + "/docs/router.example.json"
        let text = try Data(contentsOf: URL(filePath: example))
        let whole = FileManager.default.temporaryDirectory.path + "/slim-fuzz-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: whole) }
        try RouterConfiguration.load(example).write(to: whole)
        return [Array(text), Array(try Data(contentsOf: URL(filePath: whole)))]
    }

    func run(_ input: UnsafeRawBufferPointer) throws {
        let configuration: RouterConfiguration
        try write(input)
        do throws(ConfigurationError) { configuration = try RouterConfiguration.load(path) } catch {
            let line = error.description
            return try require(!line.contains("\n") && line.utf8.count < 2000, "not a line: \(line)")
        }
        let text = try JSONEncoder().encode(configuration)
        try text.withUnsafeBytes { try write($0) }
        let again: RouterConfiguration
        do throws(ConfigurationError) { again = try RouterConfiguration.load(path) } catch {
            throw Finding("its own text is refused: \(error)")
        }
        try require(again == configuration, "its own text says something else")
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard ftruncate(file.raw, 0) == 0, pwrite(file.raw, bytes.baseAddress, bytes.count, 0) == bytes.count else {
            throw Finding("the file cannot be written")
        }
    }
}
