internal import ArgumentParser
internal import SlimAdmin

struct Containers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the containers of this host.")

    @OptionGroup var options: ReportOptions

    func run() async throws {
        try options.report(
            try await options.router.client().containers(),
            columns: [
                .init("CONTAINER"), .init("IPV4"), .init("IPV6"), .init("SOCKETS", .right), .init("LISTENERS", .right),
                .init("CONNECTIONS", .right), .init("LABELS"), .init("NETNS"),
            ]
        ) { container in
            let labels = container.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return [
                container.name, container.ipv4 ?? "-", container.ipv6 ?? "-", "\(container.sockets)",
                "\(container.listeners)",
                "\(container.connections)", labels.isEmpty ? "-" : labels.joined(separator: ","), container.netns,
            ]
        }
    }
}
