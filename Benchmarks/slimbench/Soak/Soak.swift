internal import ArgumentParser
internal import Glibc
internal import SlimLab

/// Real programs for some minutes while the routers are killed again and again: nothing may be lost, nothing may leak.
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Run real programs under Slim while routers are killed: nothing may be lost, nothing may leak.")

    @Option(help: "How long the programs run.")
    var minutes = 10.0
    @Option(help: "Seconds from one killing of a router to the next, of the other host.")
    var every = 20.0
    @Option(help: "The lab's name.")
    var name = "soak"

    func validate() throws {
        guard minutes > 0, every >= 2 else { throw ValidationError("--minutes begins above 0, --every at 2") }
    }

    func run() async throws {
        try Bench.checkPrograms([
            "nginx", "wrk", "ab", "curl", "redis-server", "redis-benchmark", "memcached", "iperf3", "python3",
        ])
        let ledger = Ledger()
        do {
            try await Bench.run(name) { try await soak($0, ledger) }
        } catch {
            await ledger.lose("the soak itself", "\(error)")
        }
        for leak in Leaks.left(of: try LabDirectory(name)) { await ledger.lose("lab down", leak) }
        print(await ledger.table())
        let losses = await ledger.losses
        guard losses.isEmpty else {
            print("\nLOST OR LEAKED:\n" + losses.prefix(40).map { "  \($0)" }.joined(separator: "\n"))
            throw ExitCode(1)
        }
        print("\nNothing was lost, nothing has leaked.")
    }

    private func soak(_ bench: Bench, _ ledger: Ledger) async throws {
        let folder = try WorkFolder()
        let leaks = try await Leaks(bench)
        say("soak: starting the servers")
        let servers = try await SoakServers.start(bench, folder)
        let baseline = try await leaks.listeners()
        let length = Duration.seconds(minutes * 60)
        let end = ContinuousClock.now + length
        // Runs are long enough to live through a killing, and short enough for a short soak.
        let run = max(2, min(Int(every * 0.6), Int(minutes * 60 / 3)))
        let workloads = try Workloads(bench, folder, run: run, whole: max(1, Int(minutes * 60))).all()
        await ledger.open(workloads.map { ($0.name, $0.unit) })
        say("soak: \(workloads.count) kinds of programs for \(length), a router killed every \(Ledger.text(every)) s")
        let killer = RouterKiller(bench, every: .seconds(every))
        await withTaskGroup { group in
            for workload in workloads { group.addTask { await workload.repeat(on: bench, until: end, ledger) } }
            group.addTask { await killer.run(until: end, ledger) }
        }
        if Bench.isInterrupted { throw LabError(.state, "interrupted") }
        // A server that listened while there was no router is known to it when it listens the next time: these do after a test.
        for workload in workloads where workload.name.hasPrefix("iperf3") {
            await workload.repeat(on: bench, until: .now, ledger)
        }
        try await killer.countLast(ledger)
        say("soak: the programs have ended; looking for what they left")
        for loss in await Workloads.accounts(bench) { await ledger.lose("pgbench", loss) }
        for leak in try await leaks.afterClients(baseline) { await ledger.lose("routers", leak) }
        for leak in servers.leaks() { await ledger.lose("servers", leak) }
        await servers.end()
        for leak in try await leaks.afterServers() { await ledger.lose("routers", leak) }
        say("soak: \(leaks.summary())")
    }
}
