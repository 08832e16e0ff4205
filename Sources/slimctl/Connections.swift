internal import ArgumentParser
internal import SlimAdmin

struct Connections: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the live connections of this host's containers.")

    @OptionGroup var options: ReportOptions
    @Flag(help: "Refresh the list every two seconds, until interrupted.") var watch = false

    private static let pause: Duration = .seconds(2)
    /// What clears a terminal and goes to its upper left corner (ECMA-48).
    private static let clear = "\u{1b}[2J\u{1b}[H"

    func run() async throws {
        let client = try options.router.client()
        try show(try await client.connections())
        while watch {
            try await Task.sleep(for: Self.pause)
            let connections = try await client.connections()
            if !options.json, Output.isTerminal { Output.write(Self.clear) }
            try show(connections)
        }
    }

    private func show(_ connections: [ConnectionReport]) throws {
        try options.report(
            connections,
            columns: [
                .init("CONTAINER"), .init("LOCAL"), .init("DIRECTION"), .init("PEER"), .init("REMOTE"), .init("HOST"),
                .init("PATH"), .init("AGE", .right), .init("SENT", .right), .init("RECEIVED", .right),
                .init("RTT", .right), .init("RETRANS", .right), .init("ALLOWED BY"),
            ]
        ) { connection in
            let traffic = connection.traffic
            return [
                connection.container, connection.local, connection.direction.rawValue,
                connection.remoteContainer ?? "-", connection.remote, connection.peerHost ?? "-",
                connection.path.rawValue, TextTable.duration(seconds: connection.ageSeconds),
                traffic.map { TextTable.size(bytes: $0.bytesSent) } ?? "-",
                traffic.map { TextTable.size(bytes: $0.bytesReceived) } ?? "-",
                traffic.map { "\($0.rttMicroseconds) us" } ?? "-", traffic.map { "\($0.retransmissions)" } ?? "-",
                connection.allowedBy ?? "-",
            ]
        }
    }
}
