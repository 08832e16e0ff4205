internal import ArgumentParser
internal import SlimAdmin

struct PolicyReload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Takes a policy into force, for new connections and for those that live.",
        discussion:
            "Connections that are no longer allowed are cut, all others are left alone. On any error the policy in "
            + "force stays, and the exit status is 2.")

    @OptionGroup var router: RouterOptions
    @Argument(help: "The file; without one that of router.json.", completion: .file()) var file: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let report = try await router.client().reloadPolicy(PolicyRequest(file: file.map(absolutePath)))
        if json { return try Output.writeJSON(report) }
        Output.write(
            "\(report.file): \(report.rules) rules\(report.isChanged ? "" : ", as before"); \(report.connectionsKept) connections kept, "
                + "\(report.connectionsCut) cut; in force after \(Int(report.inForceMilliseconds.rounded(.up))) ms, "
                + "done after \(Int(report.milliseconds.rounded(.up))) ms\n")
    }
}
