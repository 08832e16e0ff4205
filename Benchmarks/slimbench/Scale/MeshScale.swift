internal import SlimAdmin
internal import SlimLab

/// A lab of many hosts, in which every container talks to every container of all other hosts.
struct MeshScale {
    private static let port = "7200"
    private static let idleSeconds = 20

    let hosts: Int
    let containers: Int

    func run() async throws {
        let start = ContinuousClock.now
        let mesh = self
        try await Bench.run("mesh", hosts: hosts, containers: containers) { bench in
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            try await mesh.measure(bench, up: seconds)
        }
    }

    private func measure(_ bench: Bench, up seconds: Double) async throws {
        let nodes = bench.lab.record.hosts
        var servers: [LabProcess] = []
        for node in nodes.flatMap(\.containers) {
            let arguments = [Bench.probeProgram, "serve-many", "--port", Self.port]
            servers.append(try bench.start(arguments, on: node.name, underSlim: true))
        }
        for server in servers { try await server.waitForOutput("ready", atMost: .seconds(30)) }
        let before = try processorTime(bench)
        let exchanging = try await timed { try await exchange(bench) }
        let used = try processorTime(bench) - before
        var handedOver = UInt64(0)
        var byOverlay = UInt64(0)
        var memory: [Int] = []
        for node in nodes {
            let status = try await AdminClient(socketPath: bench.lab.directory.adminSocket(node.name)).status()
            handedOver += status.counts["connectsHandedOver"] ?? 0
            byOverlay += status.counts["connectsByOverlay"] ?? 0
            memory += try bench.lab.router(of: node.name).processes.compactMap(\.residentBytes)
        }
        let total = UInt64(connections)
        guard handedOver + byOverlay == total else {
            throw LabError(.state, "\(total) connections were made, \(handedOver) and \(byOverlay) are counted")
        }
        // What was handed out in advance is taken back first.
        try await Task.sleep(for: .seconds(8))
        let rest = try processorTime(bench)
        try await Task.sleep(for: .seconds(Self.idleSeconds))
        let idle = (try processorTime(bench) - rest) / Double(Self.idleSeconds * hosts)
        for server in servers { await server.end() }
        let text = { (value: Double, decimals: Int) in Results.text(value, decimals) }
        print(
            """
            \(hosts) hosts, \(hosts * containers) containers: up after \(text(seconds, 1)) s
            \(total) connections, each container to all of the other hosts, at once: \(text(exchanging, 1)) s; every byte came back
            on host sockets \(handedOver), by the packet overlay \(byOverlay)
            routers: CPU \(text(used / Double(total) * 1e6, 0)) us for each connection, all together; at rest \
            \(text(idle * 100, 3)) % of a core each; memory \(text(Double(memory.min() ?? 0) / 1e6, 1)) to \
            \(text(Double(memory.max() ?? 0) / 1e6, 1)) MB
            """)
    }

    private var connections: Int { hosts * containers * (hosts - 1) * containers }

    /// All containers at the same time.
    private func exchange(_ bench: Bench) async throws {
        let nodes = bench.lab.record.hosts
        var clients: [LabProcess] = []
        for node in nodes {
            let others = nodes.filter { $0.name != node.name }.flatMap(\.containers).map(\.ipv4)
            for container in node.containers {
                let arguments =
                    [Bench.probeProgram, "meet", Self.port] + others + ["--count", "10", "--bytes", "1000"]
                let client = try bench.start(arguments, on: container.name, underSlim: true)
                client.closeInput()
                clients.append(client)
            }
        }
        let expected = "\((hosts - 1) * containers)\n"
        for client in clients {
            let outcome = try await client.wait(atMost: .seconds(120))
            guard outcome.status == 0, outcome.output == expected else {
                throw LabError(
                    .state,
                    "\(client.name.prefix(80)): exit status \(outcome.status): \(outcome.errorOutput)\(outcome.output)")
            }
        }
    }

    private func processorTime(_ bench: Bench) throws -> Double {
        var seconds = 0.0
        for node in bench.lab.record.hosts {
            let router = try bench.lab.router(of: node.name)
            for process in router.processes + [router.keeper].compactMap(\.self) {
                seconds += ProcessorTime.used(by: process.id)
            }
        }
        return seconds
    }
}
