import SlimSystem
import Synchronization
import Testing

/// Every input that is checked in, through the same functions that `make fuzz` feeds. Each harness in a process of its own: it
/// moves to another network namespace, changes what the library knows, and may crash.
@Suite struct ReplayTests {
    @Test(arguments: Harnesses.all.map { $0.name }) func `no input does harm`(name: String) async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) { [name] in
            try Replay.run(name)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(result?.exitStatus == .exitCode(0), "\(text.suffix(2000))")
    }
}

enum Replay {
    static func run(_ name: String) throws {
        guard let type = Harnesses.all.first(where: { $0.name == name }) else { throw Finding("no such harness") }
        let inputs = try Project.corpus(of: name) + type.seeds().enumerated().map { ("seed \($0)", $1) }
        let findings = Findings()
        try onNewThread {
            do {
                let harness = try type.init()
                for (name, bytes) in inputs {
                    do { try bytes.withUnsafeBytes { try harness.run($0) } } catch { findings.add("\(name): \(error)") }
                }
            } catch { findings.add("\(error)") }
        }
        guard findings.all.isEmpty, inputs.count > 3 else { throw Finding(findings.all.joined(separator: "\n")) }
    }
}

private final class Findings: Sendable {
    private let found = Mutex<[String]>([])

    var all: [String] { found.withLock { $0 } }

    func add(_ finding: String) { found.withLock { $0.append(finding) } }
}
