internal import ArgumentParser
internal import SlimAdmin
internal import SlimLab

/// How exactly a policy's rate holds.
struct Rates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rates",
        abstract:
            "Measure what a limit lets through: connections on host sockets, packets of the overlay, both together.")

    @Option(help: "The limit, in Mbit/s.") var limit = 100
    @Option(help: "Seconds of each measurement.") var seconds = 5

    private static let client = "h1c1"
    private static let receiver = "h2c2"
    /// Of the server under Slim, and of the one without.
    private static let ports = (slim: "5301", overlay: "5302")

    func validate() throws {
        guard (1...100_000).contains(limit), (1...600).contains(seconds) else {
            throw ValidationError("--limit: 1 to 100000; --seconds: 1 to 600")
        }
    }

    func run() async throws {
        try Bench.checkPrograms(["iperf3"])
        try await Bench.run("rates") { bench in
            let folder = try WorkFolder()
            for (name, entry, servers) in [
                ("sends", "\"select\": {\"container\": \"\(Self.client)\"}, \"egress\"", ["h2c1", "h1c2"]),
                ("receives", "\"select\": {\"container\": \"\(Self.receiver)\"}, \"ingress\"", [Self.receiver]),
            ] {
                let file = try folder.write(
                    "\(name).json",
                    "{\"version\": 1, \"bandwidth\": [{\"name\": \"limit\", \(entry): {\"rate\": \"\(limit)mbit\"}}]}")
                for host in ["h1", "h2"] {
                    let router = AdminClient(socketPath: bench.lab.directory.adminSocket(host))
                    _ = try await router.reloadPolicy(PolicyRequest(file: file))
                }
                for server in servers { try await measure(bench, name, server) }
            }
        }
    }

    private func measure(_ bench: Bench, _ name: String, _ server: String) async throws {
        let way = server.hasPrefix("h1") ? "within one host" : "across hosts"
        print("\(limit) Mbit/s that a container \(name), \(way), \(seconds) s:")
        for connections in [1, 8] {
            let (one, other) = ([(Self.ports.slim, true)], [(Self.ports.overlay, false)])
            for (title, streams) in [("under Slim", one), ("without", other), ("both together", one + other)] {
                let rate = try await transfer(bench, server, streams, connections)
                let many = connections == 1 ? "1 connection" : "\(connections) connections"
                print(
                    "  \(many), \(title): \(Results.text(rate, 1)) Mbit/s, \(Results.text(100 * rate / Double(limit), 1)) %"
                )
            }
        }
    }

    /// - Returns: what arrived of all streams together, in Mbit/s, while all of them ran.
    private func transfer(
        _ bench: Bench, _ server: String, _ streams: [(port: String, underSlim: Bool)], _ connections: Int
    ) async throws -> Double {
        let address = try bench.lab.address(of: server)
        var servers: [LabProcess] = []
        for (port, underSlim) in streams {
            let process = try bench.start(
                ["iperf3", "-4", "-s", "-1", "--forceflush", "-i", "1", "-f", "k", "-p", port], on: server,
                underSlim: underSlim)
            try await process.waitForOutput("Server listening")
            servers.append(process)
        }
        // A second before and one after what counts, so that all of them run in between.
        let clients = try streams.map { port, underSlim in
            try bench.start(
                ["iperf3", "-4", "-c", address, "-p", port, "-P", "\(connections)", "-t", "\(seconds + 2)"],
                on: Self.client, underSlim: underSlim)
        }
        for client in clients {
            let outcome = try await client.wait(atMost: .seconds(seconds + 60))
            guard outcome.status == 0 else {
                throw LabError(.state, "iperf3: exit status \(outcome.status): \(outcome.errorOutput.suffix(500))")
            }
        }
        var sum = 0.0
        for server in servers {
            let text = try await server.wait().output
            sum += Self.received(text, connections).dropFirst().prefix(seconds).reduce(0, +) / Double(seconds)
        }
        return sum
    }

    /// What a server's report says of each second, in Mbit/s.
    private static func received(_ report: String, _ connections: Int) -> [Double] {
        report.split(separator: "\n").filter { $0.contains("Kbits/sec") && !$0.contains("receiver") }
            .filter { connections == 1 || $0.hasPrefix("[SUM]") }
            .compactMap { line in
                let words = line.split(separator: " ")
                return words.firstIndex(of: "Kbits/sec").flatMap { Double(words[$0 - 1]) }.map { $0 / 1000 }
            }
    }
}
