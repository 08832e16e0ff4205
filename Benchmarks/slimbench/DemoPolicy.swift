internal import SlimAdmin
internal import SlimLab

/// A policy that is reloaded while two streams run, and cuts one of them.
struct DemoPolicy {
    private static let ports = ["5211", "5212"]
    private static let clients = ["h1c1", "h1c2"]
    private static let server = "h2c1"

    let bench: Bench

    func run(_ folder: borrowing WorkFolder) async throws {
        say("\npolicy: iperf3 runs from \(Self.clients[0]) and from \(Self.clients[1]) to \(Self.server)")
        var servers: [LabProcess] = []
        var streams: [LabProcess] = []
        let address = try bench.lab.address(of: Self.server)
        for port in Self.ports {
            let server = try bench.start(
                ["iperf3", "-s", "-4", "--forceflush", "-p", port], on: Self.server, underSlim: true)
            try await server.waitForOutput("Server listening")
            servers.append(server)
        }
        for (client, port) in zip(Self.clients, Self.ports) {
            streams.append(
                try bench.start(
                    ["iperf3", "-4", "--forceflush", "-c", address, "-p", port, "-t", "6", "-i", "1"], on: client,
                    underSlim: true))
        }
        for stream in streams { try await stream.waitForOutput("1.00-") }
        let text = """
            {
              "version": 1,
              "rules": [
                {"name": "no-\(Self.clients[0])", "action": "deny",
                 "from": {"container": "\(Self.clients[0])"}, "to": {"container": "\(Self.server)"}, "ports": [\(Self.ports[0])]}
              ]
            }

            """
        let file = try folder.write("policy.json", text)
        say(
            "  $ slimctl policy reload policy.json    # on h1:\n\(text.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))"
        )
        let router = AdminClient(socketPath: bench.lab.directory.adminSocket("h1"))
        let report = try await router.reloadPolicy(PolicyRequest(file: file))
        say(
            "  \(report.connectionsKept) connections kept, \(report.connectionsCut) cut, \(Results.text(report.milliseconds, 1)) ms"
        )
        guard report.connectionsCut > 0 else {
            throw LabError(
                .state, "the reload has cut nothing: the connections of \(Self.clients[0]) are not known to it")
        }
        for (client, stream) in zip(Self.clients, streams) {
            let outcome = try await stream.wait()
            let lines = (outcome.output + outcome.errorOutput).split(separator: "\n")
            say(
                "  \(client): \(outcome.status == 0 ? "went on to its end" : "cut"): \(lines.last { $0.contains("error") || $0.contains("receiver") } ?? "")"
            )
        }
        let again = try bench.start(
            ["iperf3", "-4", "-c", address, "-p", Self.ports[0], "-t", "1"], on: Self.clients[0], underSlim: true)
        let outcome = try await again.wait()
        say(
            "  \(Self.clients[0]) tries again: \((outcome.errorOutput + outcome.output).split(separator: "\n").last ?? "")"
        )
        for server in servers { await server.end() }
    }
}
