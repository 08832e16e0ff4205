internal import ArgumentParser
internal import SlimAdmin

struct PolicyShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints the policy in force, as its file would say it.")

    @OptionGroup var router: RouterOptions
    @Flag(help: "Print a report of it as JSON: file, since when, text.") var json = false

    func run() async throws {
        let report = try await router.client().policy()
        if json { return try Output.writeJSON(report) }
        if report.file == nil { Output.complain("no policy is in force: everything is allowed") }
        Output.write(report.text)
    }
}
