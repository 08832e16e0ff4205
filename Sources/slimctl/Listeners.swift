internal import ArgumentParser
internal import SlimAdmin

struct Listeners: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the listening sockets that the router accepts for.")

    @OptionGroup var options: ReportOptions

    func run() async throws {
        try options.report(
            try await options.router.client().listeners(),
            columns: [.init("CONTAINER"), .init("ADDRESS"), .init("PARKED", .right), .init("ACCEPTED", .right)]
        ) { listener in [listener.container, listener.address, "\(listener.backlogParked)", "\(listener.accepted)"] }
    }
}
