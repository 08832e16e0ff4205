internal import ArgumentParser
internal import SlimAdmin

struct SecureStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows whether host sockets are guarded, by what, and what that leaves open.",
        discussion: "The exit status is 1 when secure mode is required and no guard works.")

    @OptionGroup var options: ReportOptions

    func run() async throws {
        let report = try await options.router.client().secureMode()
        if options.json { try Output.writeJSON(report) } else { Output.write(report.table) }
        if !report.isAsRequired { throw ExitCode.failure }
    }
}

extension SecureReport {
    /// What people are shown.
    var table: String {
        var rows = [("secure mode", required ? "required" : "off")]
        if required {
            rows.append(("guard", self.guard ?? "none (\(wanted) is wanted)"))
            rows.append(("host sockets", self.guard == nil ? "none is handed out" : "\(sockets) guarded"))
        }
        if let problem { rows.append(("problem", problem)) }
        for hole in holes { rows.append(("open", "\(hole), but in containers with the seccomp profile")) }
        for hole in closedHoles { rows.append(("closed", hole)) }
        return TextTable.fields(rows)
    }
}
