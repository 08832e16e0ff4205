internal import ArgumentParser
internal import FoundationEssentials
internal import SlimLab

/// The whole comparison, across two hosts and on one: table, chart, and what was promised.
struct Full: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "full", abstract: "Compare the three networks by many programs, across two hosts and on one.")

    @Option(help: "Rounds; each measures the three networks in turn, and medians are shown.")
    var rounds = 5
    @Option(help: "Seconds of each run of a program that runs for a time, but streams.")
    var seconds = 2
    @Option(help: "Where bench.json, bench.md and bench.svg go.")
    var folder = "build"
    @Option(help: "The lab's name.")
    var name = "bench"

    func validate() throws {
        guard rounds > 0, seconds > 0 else { throw ValidationError("--rounds and --seconds begin at 1") }
    }

    func run() async throws {
        try Bench.checkPrograms([
            "iperf3", "nginx", "ab", "wrk", "redis-server", "redis-benchmark", "memcached", "curl", "taskset",
        ])
        let start = ContinuousClock.now
        try await Bench.run(name, containers: Placement.containers, policy: false) { bench in
            let folder = try WorkFolder()
            let machine = await Machine(bench)
            say(machine.summary)
            var results = Dictionary(uniqueKeysWithValues: Placement.allCases.map { ($0, Results()) })
            try Footprint(bench).measureIdle(&results[.twoHosts, default: Results()])
            let servers = try await FullServers.start(bench, folder)
            let suite = try await Suite(bench, seconds: seconds)
            for round in 1...rounds {
                for placement in Placement.allCases {
                    try await suite.measure(placement, round, &results[placement, default: Results()])
                    say(
                        "round \(round) of \(rounds), \(placement.title): done after \(Int((.now - start) / .seconds(1))) s"
                    )
                }
            }
            say("what live connections cost, and what 10,000 set-ups leave")
            for placement in Placement.allCases {
                var bench = bench
                bench.placement = placement
                let footprint = Footprint(bench)
                for mode in Mode.allCases {
                    try await footprint.measureConnections(mode, &results[placement, default: Results()])
                }
                try await footprint.measureGrowth(&results[placement, default: Results()])
            }
            let report = FullReport(machine: machine, rounds: rounds, rates: suite.rates, results: results)
            try report.write(to: self.folder)
            print(report.text())
            await servers.end()
        }
        say("written to \(folder)/bench.json, bench.md and bench.svg after \(Int((.now - start) / .seconds(1))) s")
    }
}
