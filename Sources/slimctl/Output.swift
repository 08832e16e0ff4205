internal import CSlimSystem
internal import FoundationEssentials
internal import SlimAdmin
internal import SystemPackage

/// What verbs print.
enum Output {
    static func write(_ text: String) {
        // Nobody is left to tell that standard output is closed.
        _ = try? FileDescriptor.standardOutput.writeAll(text.utf8)
    }

    static var isTerminal: Bool { slim_is_terminal(FileDescriptor.standardOutput.rawValue) == 1 }

    static func write(_ table: TextTable) {
        write(table.text(boldHeading: isTerminal))
    }

    static func writeJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }

    /// One line on standard error.
    static func complain(_ message: String) {
        _ = try? FileDescriptor.standardError.writeAll("slimctl: \(message)\n".utf8)
    }
}
