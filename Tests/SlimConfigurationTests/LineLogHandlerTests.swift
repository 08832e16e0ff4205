import Logging
import Synchronization
import SlimJSON
import Testing

@testable import SlimConfiguration

@Suite struct LineLogHandlerTests {
    private final class Lines: Sendable {
        let text = Mutex("")
    }

    private func log(_ format: LogSettings.Format, _ body: (inout Logger) -> Void) -> String {
        let lines = Lines()
        var logger = Logger(label: "slim.test") { label in
            LineLogHandler(label: label, settings: LogSettings(level: .info, format: format)) { line in
                lines.text.withLock { $0 += line }
            }
        }
        body(&logger)
        return lines.text.withLock { $0 }
    }

    @Test func `text is one line an event, values quoted where needed`() throws {
        let text = log(.text) { logger in
            logger[metadataKey: "peer"] = "h2"
            logger.info("connected", metadata: ["why": "a \"b\"\nc", "empty": ""])
            logger.debug("not shown")
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(text.hasSuffix(#" info connected empty="" peer=h2 why="a \"b\"\nc""# + "\n"), "\(text)")
    }

    @Test func `a message cannot pretend to be another event`() {
        #expect(log(.text) { $0.info("a\nb\u{1b}[2J") }.hasSuffix(#" info "a\nb\u001b[2J""# + "\n"))
    }

    @Test func `JSON is one object a line`() throws {
        let text = log(.json) { $0.warning("x\ty", metadata: ["n": "1"]) }
        let node = try JSONParser.parse(Array(text.utf8), file: "log")
        guard case .object(let members) = node else { return #expect(Bool(false), "\(text)") }
        #expect(members.map(\.key) == ["time", "level", "message", "n", "logger"])
        #expect(members[1].value == .string("warning"))
        #expect(members[2].value == .string("x\ty"))
    }
}
