internal import ArgumentParser
internal import SlimAdmin
internal import SlimLab

/// What secure mode costs: two labs side by side, one secure, measured in turns.
struct SecureBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secure",
        abstract:
            "Measure Slim in secure mode (BPF guard, seccomp profile) beside Slim without, and revoking connections.")

    @Option(help: "Rounds; each measures both, one directly after the other: the median of their ratios is shown.")
    var rounds = 21
    @Option(help: "Seconds of each iperf3 run.") var seconds = 2
    @Option(help: "Connections that are revoked at once.") var connections = 5000

    private static let port = "7031"
    private static let rows: [(name: String, unit: String, decimals: Int)] = [
        ("throughput", "Gbit/s", 2), ("round trip, one core, p50", "us", 2), ("connect(), p50", "us", 2),
        ("connect and first reply, p50", "us", 2),
    ]

    func validate() throws {
        guard (1...100).contains(rounds), (1...60).contains(seconds), (1...7000).contains(connections) else {
            throw ValidationError("--rounds: 1 to 100; --seconds: 1 to 60; --connections: 1 to 7000")
        }
    }

    func run() async throws {
        try await Bench.run("plain", policy: false) { plain in
            try await Bench.run("secure", secure: true, policy: false) { secure in
                try await compare(plain, secure)
                try await revoke(secure)
            }
        }
    }

    private func compare(_ plain: Bench, _ secure: Bench) async throws {
        var servers: [LabProcess] = []
        for bench in [plain, secure] {
            servers.append(try await bench.serveIperf(.slim, pin: FullServers.pin))
            servers.append(try await bench.serveProbe(.slim))
            servers.append(
                try await bench.serveProbe(.slim, port: FullServers.sharedPort, cpu: FullServers.clientCore))
        }
        var values = [[[Double]]](repeating: [[], []], count: Self.rows.count)
        for round in 1...rounds {
            // Who is first takes turns: what the machine does otherwise meets both.
            for index in round.isMultiple(of: 2) ? [0, 1] : [1, 0] {
                let bench = [plain, secure][index]
                let pin = ["--cpu", "\(FullServers.clientCore)", "--count", "10000"]
                let found = [
                    try await bench.throughput(.slim, seconds: seconds, pin: FullServers.clientPin).gigabits,
                    try await bench.probe(.slim, "rtt", port: FullServers.sharedPort, pin).p50,
                    try await bench.probe(.slim, "connect", ["--count", "1000"]).p50,
                    try await bench.probe(.slim, "connect-echo", ["--count", "1000"]).p50,
                ]
                for (row, value) in found.enumerated() { values[row][index].append(value) }
            }
            say("round \(round) of \(rounds)")
        }
        for server in servers { await server.end() }
        for (row, series) in zip(Self.rows, values) {
            let ratio = zip(series[1], series[0]).map { $0 / $1 }.median
            print(
                "\(row.name): \(Results.text(series[1].median, row.decimals)) \(row.unit) in secure mode, "
                    + "\(Results.text(series[0].median, row.decimals)) without: \(Results.text(ratio, 3))")
        }
    }

    /// A policy cuts every connection of a container.
    private func revoke(_ bench: Bench) async throws {
        let folder = try WorkFolder()
        let server = try await bench.serve(
            .slim, [Bench.probeProgram, "serve", "-4", "--port", Self.port], until: "ready")
        let holder = try bench.start(
            [
                Bench.probeProgram, "hold", try bench.address(.slim), Self.port, "-4", "--connections",
                "\(connections)",
            ], on: "h1c2", underSlim: true)
        try await holder.waitForOutput("\(connections)\n", atMost: .seconds(60))
        let denial = """
            {"version": 1, "rules": [{"name": "denied", "action": "deny", "from": {"container": "h1c2"}, \
            "to": {"container": "h2c1"}}]}
            """
        let router = AdminClient(socketPath: bench.lab.directory.adminSocket("h1"))
        let report = try await router.reloadPolicy(PolicyRequest(file: try folder.write("cut.json", denial)))
        print(
            "revoked: \(report.connectionsCut) connections in \(Results.text(report.milliseconds, 1)) ms, from reading the "
                + "policy to the last end")
        await holder.end()
        await server.end()
    }

}
