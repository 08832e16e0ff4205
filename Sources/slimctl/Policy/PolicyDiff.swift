internal import ArgumentParser
internal import SlimAdmin
internal import SlimPolicy

struct PolicyDiff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Shows what a reload would change, and which live connections it would cut.",
        discussion:
            "With --from it compares two files and needs no router. Exits with 0 when nothing would change, with 1 when "
            + "something would, with 2 when a file is wrong.")

    @OptionGroup var router: RouterOptions
    @Argument(help: "The policy; without one that of router.json.", completion: .file(extensions: ["json"]))
    var file: String?
    @Option(
        help: ArgumentHelp("Compare with this policy instead of the one in force.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var from: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard from == nil || file != nil else { throw ValidationError("--from compares two files: name the other one") }
    }

    func run() async throws {
        let report: PolicyDiffReport
        if let from, let file {
            let difference = PolicyDifference(
                from: try PolicyDocument.load(from), to: try PolicyDocument.load(file))
            report = PolicyDiffReport(difference)
        } else {
            report = try await router.client().diffPolicy(PolicyRequest(file: file.map(absolutePath)))
        }
        if json { try Output.writeJSON(report) } else { show(report) }
        if !report.changes.isEmpty { throw ExitCode.failure }
    }

    private func show(_ report: PolicyDiffReport) {
        // As `diff` has it: a line with `-` for what is gone, one with `+` for what is new.
        for change in report.changes {
            if let before = change.before { Output.write("- \(change.part): \(before)\n") }
            if let after = change.after { Output.write("+ \(change.part): \(after)\n") }
        }
        guard from == nil else { return }
        Output.write("\(report.connectionsKept) connections kept, \(report.cut.count) cut\n")
        for connection in report.cut {
            Output.write(
                "  \(connection.container) \(connection.local) \(connection.direction.rawValue) \(connection.remote)\n")
        }
    }
}

extension PolicyDiffReport {
    /// What differs between two files: nothing lives by them.
    fileprivate init(_ difference: PolicyDifference) {
        self.init(
            changes: difference.changes.map {
                Change(part: $0.part, name: $0.name, before: $0.before, after: $0.after)
            }, connectionsKept: 0, cut: [])
    }
}
