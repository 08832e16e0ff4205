internal import ArgumentParser
internal import SlimAdmin

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows what the router is and how it does.")

    @OptionGroup var options: ReportOptions

    func run() async throws {
        let status = try await options.router.client().status()
        if options.json { return try Output.writeJSON(status) }
        Output.write(
            TextTable.fields(
                [
                    ("host", status.name),
                    (
                        "router",
                        "Slim \(status.version), pid \(status.pid), up \(TextTable.duration(seconds: status.uptimeSeconds))"
                    ),
                    ("underlay", status.underlay),
                    ("subnets", status.subnets.joined(separator: ", ")),
                    ("directory", status.directory),
                    ("peers", "\(status.peersConnected) of \(status.peersKnown) connected"),
                ] + status.counts.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }))
    }
}
