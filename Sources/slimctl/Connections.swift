internal import ArgumentParser
internal import SlimAdmin

struct Connections: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the live connections of this host's containers.")

    @OptionGroup var options: ReportOptions

    func run() async throws {
        try options.report(
            try await options.router.client().connections(),
            columns: [
                .init("CONTAINER"), .init("LOCAL"), .init("REMOTE"), .init("HOST"), .init("DIRECTION"), .init("PATH"),
                .init("AGE", .right),
            ]
        ) { connection in
            [
                connection.container, connection.local, connection.remote, connection.peerHost ?? "-",
                connection.direction.rawValue, connection.path.rawValue,
                TextTable.duration(seconds: connection.ageSeconds),
            ]
        }
    }
}
