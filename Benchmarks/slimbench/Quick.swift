internal import ArgumentParser
internal import FoundationEssentials
internal import SlimLab

/// Everything that is promised in numbers, in less than 90 seconds.
struct Quick: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quick", abstract: "Measure what is promised in numbers, in less than 90 seconds.")

    @Option(help: "Rounds; each measures the three networks one after the other, and medians are shown.")
    var rounds = 8
    @Option(help: "Seconds of each iperf3 run.")
    var seconds = 2
    @Option(help: "Where the numbers go, as JSON.")
    var output = "build/bench.json"

    /// The core that both sides of the round trip share.
    private static let core = 1
    private static let pinnedPort = "7009"

    func validate() throws {
        guard rounds > 0, seconds > 0 else { throw ValidationError("--rounds and --seconds begin at 1") }
    }

    func run() async throws {
        try await Bench.run("bench", policy: false) { bench in
            var results = Results()
            try Footprint(bench).measureIdle(&results)
            try await measure(bench, &results)
            say("footprint of live connections")
            for mode in Mode.allCases { try await Footprint(bench).measureConnections(mode, &results) }
            try Data(results.json().utf8).write(to: URL(filePath: output))
            print(results.table())
            say("written to \(output)")
        }
    }

    private func measure(_ bench: Bench, _ results: inout Results) async throws {
        var servers: [LabProcess] = []
        for mode in Mode.allCases {
            servers.append(try await bench.serveIperf(mode))
            servers.append(try await bench.serveProbe(mode))
            servers.append(try await bench.serveProbe(mode, port: Self.pinnedPort, cpu: Self.core))
        }
        for round in 1...rounds {
            for mode in Mode.allCases {
                let before = try bench.vxlanBytes()
                let (gigabits, bytes) = try await bench.throughput(mode, seconds: seconds)
                results.add(.throughput, mode, gigabits)
                results.add(.vxlanShare, mode, Double(try bench.vxlanBytes() - before) / bytes)
                let pin = ["--cpu", "\(Self.core)", "--count", "10000"]
                results.add(.roundTrip, mode, try await bench.probe(mode, "rtt", port: Self.pinnedPort, pin).p50)
                results.add(.connect, mode, try await bench.probe(mode, "connect", ["--count", "1000"]).p50)
                results.add(.connectEcho, mode, try await bench.probe(mode, "connect-echo", ["--count", "1000"]).p50)
                results.add(.connectFirst, mode, try await bench.firstConnects(mode).ofProgram)
                results.add(.exec, mode, try await bench.exec(mode))
            }
            say("round \(round) of \(rounds): " + Mode.allCases.map { summary($0, results) }.joined(separator: "; "))
        }
        for server in servers { await server.end() }
    }

    private func summary(_ mode: Mode, _ results: Results) -> String {
        let values = [Metric.throughput, .roundTrip, .connect, .connectEcho].map { metric in
            results.median(metric, mode).map { Results.text($0, metric.decimals) } ?? "-"
        }
        return "\(mode.rawValue) \(values[0]) Gbit/s, \(values[1...].joined(separator: "/")) us"
    }
}
