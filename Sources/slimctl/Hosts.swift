internal import ArgumentParser
internal import SlimAdmin

struct Hosts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the other hosts of the cluster.")

    @OptionGroup var options: ReportOptions

    func run() async throws {
        try options.report(
            try await options.router.client().hosts(),
            columns: [.init("HOST"), .init("ADDRESS"), .init("SUBNETS"), .init("STATE")]
        ) { host in
            let state = host.connected ? "connected" : host.reason.map { "not connected: \($0)" } ?? "not connected"
            return [host.name, host.address, host.subnets.joined(separator: ","), state]
        }
    }
}
