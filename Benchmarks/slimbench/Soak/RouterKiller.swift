internal import SlimAdmin
internal import SlimLab

/// Kills the routers of two hosts in turn, on the spot, and starts them again.
struct RouterKiller: Sendable {
    /// How long the containers are without their router.
    private static let absence: Duration = .seconds(1)

    private static let hosts = ["h1", "h2"]

    private let bench: Bench
    private let interval: Duration

    init(_ bench: Bench, every interval: Duration) {
        self.bench = bench
        self.interval = interval
    }

    func run(until end: ContinuousClock.Instant, _ ledger: Ledger) async {
        var next = ContinuousClock.now + interval
        var turn = 0
        // Not in the last moments: whoever lives through a killing must be seen to go on.
        while next + Self.absence < end, !Bench.isInterrupted {
            try? await Task.sleep(until: min(next, .now + .seconds(1)))
            guard ContinuousClock.now >= next else { continue }
            let host = Self.hosts[turn % Self.hosts.count]
            do {
                try await kill(host, ledger)
            } catch { await ledger.lose("router of \(host)", "\(error)") }
            turn += 1
            next += interval
        }
    }

    /// What the routers that live now have done.
    func countLast(_ ledger: Ledger) async throws {
        for host in Self.hosts { try await count(host, ledger, kills: false) }
    }

    private func kill(_ host: String, _ ledger: Ledger) async throws {
        try await count(host, ledger, kills: true)
        let router = try bench.lab.router(of: host)
        try await router.kill()
        try await Task.sleep(for: Self.absence)
        let start = ContinuousClock.now
        try await bench.lab.startRouter(of: host, bench.binaries)
        let milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
        say(
            "soak \(await ledger.elapsed): router of \(host) killed, and started again in \(milliseconds) ms; \(await ledger.progress())"
        )
    }

    private func count(_ host: String, _ ledger: Ledger, kills: Bool) async throws {
        let counts = try await AdminClient(socketPath: bench.lab.directory.adminSocket(host)).status().counts
        await ledger.add(
            handedOver: counts["connectsHandedOver"] ?? 0, byOverlay: counts["connectsByOverlay"] ?? 0, kills: kills)
    }
}
