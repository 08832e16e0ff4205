internal import ArgumentParser
internal import SlimLab

/// How Slim grows: the router's tables with simulated endpoints, live connections, and many hosts.
struct Scale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Measure how cost grows: a million connections in the tables, live ones, and a lab of many hosts.")

    enum Part: String, CaseIterable, ExpressibleByArgument { case tables, live, mesh }

    @Option(help: "What is measured; several may be given.") var part: [Part] = Part.allCases
    @Option(help: "Connections in the tables at most; a tenth and a hundredth of them come first.")
    var largest = 1_000_000
    @Option(help: "Hosts in the tables at most, with 100 containers each; a tenth and a hundredth of them come first.")
    var clusterHosts = 10_000
    @Option(help: "Live connections at most; none, a third and two thirds of them come first.") var live = 15_000
    @Option(help: "Seconds for which routers with live connections are left alone.") var idle = 30
    @Option(help: "Samples of each set-up with live connections.") var samples = 5
    @Option(help: "Hosts of the lab with many.") var hosts = 8
    @Option(help: "Containers on each of them.") var containers = 8

    func validate() throws {
        guard (1000...10_000_000).contains(largest) else { throw ValidationError("--largest: 1000 to 10000000") }
        guard (100...60_000).contains(clusterHosts) else { throw ValidationError("--cluster-hosts: 100 to 60000") }
        guard (300...45_000).contains(live) else { throw ValidationError("--live: 300 to 45000") }
        guard idle > 0, samples > 0 else { throw ValidationError("--idle and --samples begin at 1") }
        guard (2...100).contains(hosts), (1...100).contains(containers) else {
            throw ValidationError("--hosts: 2 to 100; --containers: 1 to 100")
        }
    }

    func run() async throws {
        if part.contains(.tables) { try await measureTables() }
        if part.contains(.live) {
            try await LiveScale.run([0, live / 3, live / 3 * 2, live], samples: samples, idleSeconds: idle)
        }
        if part.contains(.mesh) { try await MeshScale(hosts: hosts, containers: containers).run() }
    }

    private func measureTables() async throws {
        for (what, option, most) in [("connections", "--connections", largest), ("hosts", "--hosts", clusterHosts)] {
            var figures = ScaleFigures(what)
            for size in [most / 100, most / 10, most] {
                say("tables with \(size) \(what)")
                figures.columns.append(try await TableScaleRun.measure(option, size))
            }
            print(figures.text(), terminator: "\n\n")
            guard figures.superlinear.isEmpty else {
                throw LabError(.state, "more than linear in \(what): \(figures.superlinear.joined(separator: "; "))")
            }
        }
    }
}
