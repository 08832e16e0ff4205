internal import SlimAdmin
internal import SlimLab

/// What set-ups, lists and idle routers cost while thousands of connections live.
///
/// The same program without Slim is measured in turn: what the machine does otherwise meets both.
struct LiveScale {
    /// On each host: one that connects, one without Slim that does so too, and three that hold connections.
    private static let containers = 5
    private static let holders = ["c3", "c4", "c5"]
    private static let port = "7040"
    private static let hosts = ["h1", "h2"]
    private static let setUps = 2000

    private let bench: Bench
    private let samples: Int
    private let idleSeconds: Int

    /// - Parameter levels: how many connections live while it is measured; routers are left alone with none, and with the last
    ///   but one.
    static func run(_ levels: [Int], samples: Int, idleSeconds: Int) async throws {
        try await Bench.run("scale", containers: containers) { bench in
            let scale = LiveScale(bench: bench, samples: samples, idleSeconds: idleSeconds)
            print(try await scale.measure(levels).text(), terminator: "\n\n")
        }
    }

    private func measure(_ levels: [Int]) async throws -> ScaleFigures {
        var figures = ScaleFigures("live connections")
        let servers = try await startServers()
        var crowd: [LabProcess] = []
        var held = 0
        for (index, level) in levels.enumerated() {
            say("\(level) live connections")
            crowd += try await hold(level - held)
            held = level
            var column = ScaleFigures.Column(size: level)
            try await measureSetUps(&column)
            try await measureFirst(&column)
            try await measureLists(level, &column)
            if index == 0 || index == levels.count - 2 { try await measureIdle(&column) }
            if index == levels.count - 1 { try await measureRestart(level, &column) }
            figures.columns.append(column)
        }
        for process in crowd + servers { await process.end() }
        return figures
    }

    // MARK: Programs

    private func startServers() async throws -> [LabProcess] {
        var servers: [LabProcess] = []
        for mode in [Mode.slim, .overlay] {
            servers.append(try await bench.serve(mode, many(Self.port, 1), until: "ready"))
            servers.append(try await bench.serve(mode, many(Bench.firstPort, Bench.firstPorts), until: "ready"))
        }
        for holder in Self.holders {
            let server = try bench.start(many(Self.port, 1), on: "h2\(holder)", underSlim: true)
            try await server.waitForOutput("ready")
            servers.append(server)
        }
        return servers
    }

    private func many(_ port: String, _ count: Int) -> [String] {
        [Bench.probeProgram, "serve-many", "--port", port, "--ports", "\(count)"]
    }

    /// Holds so many more connections, a third of them in each container.
    private func hold(_ count: Int) async throws -> [LabProcess] {
        guard count > 0 else { return [] }
        let each = count / Self.holders.count
        var crowd: [LabProcess] = []
        for (index, holder) in Self.holders.enumerated() {
            let own = index == 0 ? count - each * (Self.holders.count - 1) : each
            let arguments = [
                Bench.probeProgram, "hold", try bench.lab.address(of: "h2\(holder)"), Self.port, "-4", "--connections",
                "\(own)",
            ]
            let process = try bench.start(arguments, on: "h1\(holder)", underSlim: true)
            try await process.waitForOutput("\(own)\n", atMost: .seconds(60))
            crowd.append(process)
        }
        return crowd
    }

    // MARK: Measuring

    /// A program connects to one server again and again.
    private func measureSetUps(_ column: inout ScaleFigures.Column) async throws {
        var found: [[Double]] = [[], [], [], []]
        for _ in 0..<samples {
            let before = try processorTime()
            let slim = try await bench.probe(.slim, "connect-echo", port: Self.port, ["--count", "\(Self.setUps)"])
            let used = try processorTime() - before
            let overlay = try await bench.probe(
                .overlay, "connect-echo", port: Self.port, ["--count", "\(Self.setUps)"])
            for (index, value) in [slim.rate ?? 0, slim.p50, overlay.p50, used / Double(Self.setUps) * 1e6].enumerated()
            {
                found[index].append(value)
            }
        }
        column.add("set-ups, repeated", "1/s", found[0].median, decimals: 0)
        column.add("set-up and echo, repeated, p50", "us", found[1].median)
        column.add("the same by the plain overlay", "us", found[2].median)
        column.add("set-up, repeated: CPU of both routers", "us", found[3].median)
    }

    /// A program connects to each of many listeners once: the router is asked each time.
    private func measureFirst(_ column: inout ScaleFigures.Column) async throws {
        var found: [[Double]] = [[], [], []]
        let options = ["--ports", "\(Bench.firstPorts)"]
        // The router's own first time is another thing.
        _ = try await bench.probe(.slim, "connect-first", port: Bench.firstPort, options)
        for _ in 0..<samples {
            let before = try processorTime()
            let slim = try await bench.probe(.slim, "connect-first", port: Bench.firstPort, options)
            let used = try processorTime() - before
            let overlay = try await bench.probe(.overlay, "connect-first", port: Bench.firstPort, options)
            for (index, value) in [slim.p50, overlay.p50, used / Double(Bench.firstPorts) * 1e6].enumerated() {
                found[index].append(value)
            }
        }
        column.add("connect(), once to each of many, p50", "us", found[0].median)
        column.add("the same by the plain overlay, p50", "us", found[1].median)
        column.add("connect(), once to each: CPU of both routers", "us", found[2].median)
    }

    private func measureLists(_ level: Int, _ column: inout ScaleFigures.Column) async throws {
        let client = client("h1")
        var times: [Double] = []
        for _ in 0..<samples {
            var count = 0
            let time = try await timed { count = try await client.connections().count }
            guard count >= level else {
                throw LabError(.state, "\(count) connections are listed, and \(level) are held")
            }
            times.append(time * 1000)
        }
        column.add("list of connections", "ms", times.median)
        let folder = try WorkFolder()
        let policy = try folder.write("policy.json", Self.policy)
        let reload = try await client.reloadPolicy(PolicyRequest(file: policy))
        column.add("reload of a policy, with a review of all", "ms", reload.milliseconds)
        guard reload.connectionsCut == 0, reload.connectionsKept >= level else {
            throw LabError(.state, "a policy that allows everything has cut \(reload.connectionsCut) connections")
        }
        _ = try await client.reloadPolicy(PolicyRequest(file: bench.lab.directory.policyFile("h1")))
    }

    /// Denies what there is not, so that every connection has to be judged.
    private static let policy = """
        {"version": 1, "rules": [{"name": "nobody", "action": "deny", "from": {"container": "nobody"}, \
        "to": {"container": "nobody"}}]}
        """

    private func measureIdle(_ column: inout ScaleFigures.Column) async throws {
        say("\(idleSeconds) seconds of rest")
        // What was handed out in advance is taken back first.
        try await Task.sleep(for: .seconds(8))
        let before = try Self.hosts.map { (host) throws in try processorTime(of: host) }
        try await Task.sleep(for: .seconds(idleSeconds))
        let used = try zip(Self.hosts, before).map { (host, before) throws in try processorTime(of: host) - before }
        column.add(
            "router at rest: CPU (0.1 is promised)", "% of a core", (used.max() ?? 0) / Double(idleSeconds) * 100,
            decimals: 3)
    }

    /// A router is killed, and another takes its place.
    private func measureRestart(_ level: Int, _ column: inout ScaleFigures.Column) async throws {
        try await bench.lab.router(of: "h1").kill()
        let client = client("h1")
        let lab = bench.lab
        let binaries = bench.binaries
        let serving = try await timed { try await lab.startRouter(of: "h1", binaries) }
        let count = try await client.connections().count
        guard count >= level else {
            throw LabError(.state, "the next router knows \(count) of \(level) connections")
        }
        column.add("a router is killed: the next one serves after", "ms", serving * 1000, decimals: 0)
    }

    // MARK: The routers

    private func client(_ host: String) -> AdminClient {
        AdminClient(socketPath: bench.lab.directory.adminSocket(host))
    }

    private func processes(of host: String) throws -> [RunningProcess] {
        let router = try bench.lab.router(of: host)
        return router.processes + [router.keeper].compactMap(\.self)
    }

    private func processorTime(of host: String) throws -> Double {
        try processes(of: host).map { ProcessorTime.used(by: $0.id) }.reduce(0, +)
    }

    private func processorTime() throws -> Double {
        try Self.hosts.map { (host) throws in try processorTime(of: host) }.reduce(0, +)
    }

}

/// Seconds that something takes.
func timed(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
}
