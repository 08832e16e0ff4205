internal import ArgumentParser
internal import SlimAdmin

struct SecureDisable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Has host sockets handed out unguarded from now on.",
        discussion: "Sockets that are guarded stay so.")

    @OptionGroup var options: ReportOptions

    func run() async throws {
        let report = try await options.router.client().disableSecureMode()
        if options.json { return try Output.writeJSON(report) }
        Output.write(report.table)
    }
}
