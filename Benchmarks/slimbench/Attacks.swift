internal import ArgumentParser
internal import FoundationEssentials
internal import SlimGuard
internal import SlimLab

/// Runs the attack program of Tests/Attacks without a guard and under the BPF guard, and writes what came of it, with what came
/// of it in emulated machines (`make -C kmod attacks`).
struct Attacks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attacks",
        abstract: "Try what hostile containers do with host sockets, and write the table in docs/threat-model.md.")

    @Option(help: "The folder of what came of it with BPF LSM and under the kernel module.") var machines: String
    @Option(help: "The file whose table is replaced.") var output = "docs/threat-model.md"

    private static let sources = ["Tests/Attacks/host.c", "Tests/Attacks/attempts.c"]
    private static let begin = "<!-- attacks: begin (make attacks writes this) -->"
    private static let end = "<!-- attacks: end -->"

    private enum Verdict { case refused, mixed, succeeded }

    func run() async throws {
        let folder = try WorkFolder()
        let program = folder.path + "/attacks"
        _ = try await Self.run(["cc", "-O1", "-static", "-o", program] + Self.sources)
        let list = try await Self.run([program, "--list"])
        let filter = folder.path + "/filter"
        try Data(ContainerFilter.program).write(to: URL(filePath: filter))

        var columns: [(String, [String: Verdict])] = [
            ("no guard", Self.verdicts(try await Self.run([program, "--guard", "none"])))
        ]
        let socketGuard = try BPFGuard(directory: folder.path, file: Self.libraryFolder + "/slim_guard.bpf.o")
        defer { BPFGuard.remove(directory: folder.path) }
        let bpf = [program, "--guard", "bpf", "--cgroup", socketGuard.groupPath]
        columns.append(("BPF", Self.verdicts(try await Self.run(bpf))))
        columns.append(("BPF and profile", Self.verdicts(try await Self.run(bpf + ["--filter", filter]))))
        for (title, file) in [("BPF and LSM", "attacks-lsm.tsv"), ("module", "attacks-module.tsv")] {
            columns.append((title, Self.verdicts(try String(contentsOfFile: "\(machines)/\(file)", encoding: .utf8))))
        }
        try write(Self.table(list, columns))
    }

    private static func run(_ arguments: [String]) async throws -> String {
        let directory = try LabDirectory("attacks")
        let process = try LabProcess(
            LabProgram(arguments, environment: Lab.environment(library: nil)), in: directory)
        process.closeInput()
        let outcome = try await process.wait(atMost: .seconds(300))
        guard outcome.status == 0 else {
            throw LabError(
                .state, "\(arguments.joined(separator: " ")): exit status \(outcome.status): \(outcome.errorOutput)")
        }
        return outcome.output
    }

    private static var libraryFolder: String {
        Bench.probeProgram.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/lib"
    }

    /// By name of attempt: over all families and kinds of sockets.
    private static func verdicts(_ text: String) -> [String: Verdict] {
        var found: [String: Set<Substring>] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t")
            guard fields.count == 5, fields[3] != "unsupported" else { continue }
            found[String(fields[0]), default: []].insert(fields[3])
        }
        return found.mapValues { $0.count > 1 ? .mixed : $0 == ["succeeded"] ? .succeeded : .refused }
    }

    private static func table(_ list: String, _ columns: [(String, [String: Verdict])]) -> String {
        var lines = [
            "| attempt | " + columns.map(\.0).joined(separator: " | ") + " |",
            "|---|" + String(repeating: "---|", count: columns.count),
        ]
        for line in list.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            let cells = columns.map { _, verdicts in
                switch verdicts[String(fields[0])] {
                case .refused: "refused"
                case .mixed: "**in part**"
                case .succeeded: fields[2].contains("harmless") ? "no harm" : "**succeeds**"
                case nil: "-"
                }
            }
            lines.append("| \(fields[1]) | " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    private func write(_ table: String) throws {
        let text = try String(contentsOfFile: output, encoding: .utf8)
        guard let begin = text.firstRange(of: Self.begin), let end = text.firstRange(of: Self.end),
            begin.upperBound <= end.lowerBound
        else { throw ValidationError("\(output): the lines \(Self.begin) and \(Self.end) are missing") }
        let whole = text[..<begin.upperBound] + "\n\n" + table + "\n\n" + text[end.lowerBound...]
        try Data(whole.utf8).write(to: URL(filePath: output))
        say("written to \(output)")
    }
}
