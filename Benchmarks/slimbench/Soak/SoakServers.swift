internal import SlimLab

/// The servers of a soak, spread over the containers of two hosts; all under Slim.
struct SoakServers {
    static let echoPort = "7007"
    static let pythonPort = "8000"

    private var servers: [LabProcess] = []
    private var postgres: LabProcess?
    /// Single processes, by name, with their descriptors when no client had come yet.
    private var watched: [(name: String, process: LabProcess, descriptors: Int)] = []

    static func start(_ bench: Bench, _ folder: borrowing WorkFolder) async throws -> SoakServers {
        var all = SoakServers()
        try folder.write(Workloads.contentName, Workloads.content)
        for node in ["h1c1", "h2c1"] {
            let nginx = try bench.start(try Bench.nginx(node, folder), on: node, underSlim: true)
            all.servers.append(nginx)
            try await bench.run(
                Bench.untilAnswer("http://\(try bench.lab.address(of: node)):\(Bench.webPort)/"), on: "h1c1",
                underSlim: true)
        }
        try await bench.makeDatabase("database", folder)
        let postgres = try bench.start(
            try Bench.postgres("\(folder.path)/database"), on: "h2c1", underSlim: true)
        all.postgres = postgres
        try await postgres.waitForOutput(Bench.postgresReady, atMost: .seconds(30))
        try await all.add("redis", Bench.redis(folder), bench, on: "h2c2", until: Bench.redisReady)
        try await all.add("memcached", Bench.memcached, bench, on: "h1c2", port: Bench.memcachedPort)
        for node in ["h2c2", "h1c1"] {
            let command = ["iperf3", "-s", "-4", "--forceflush", "-p", Bench.iperfPort]
            try await all.add("iperf3", command, bench, on: node, until: "Server listening")
        }
        for node in ["h2c1", "h1c2", "h1c1"] {
            let command = [Bench.probeProgram, "serve", "-4", "--port", echoPort]
            try await all.add("slimprobe", command, bench, on: node, until: "ready")
        }
        let python = ["python3", "-u", "-m", "http.server", pythonPort, "--directory", folder.path]
        try await all.add("http.server", python, bench, on: "h1c2", port: pythonPort)
        return all
    }

    private mutating func add(
        _ name: String, _ command: [String], _ bench: Bench, on node: String, until ready: String? = nil,
        port: String? = nil
    ) async throws {
        let process = try bench.start(command, on: node, underSlim: true)
        servers.append(process)
        if let ready { try await process.waitForOutput(ready) }
        if let port {
            try await bench.run(
                Bench.untilConnected(try bench.lab.address(of: node), port), on: node, underSlim: false)
        }
        watched.append((name, process, RunningProcess(id: process.id)?.descriptorCount ?? 0))
    }

    /// Servers that have ended on the way, and descriptors that others have more than before any client came.
    func leaks() -> [String] {
        let ended = (servers + [postgres].compactMap(\.self)).filter { !$0.isRunning }.map {
            "\($0.name) has ended: \($0.outputSoFar.suffix(300))\($0.errorOutputSoFar.suffix(300))"
        }
        let grown = watched.compactMap { name, process, before -> String? in
            // Some make descriptors for good when the first client comes.
            let growth = (RunningProcess(id: process.id)?.descriptorCount ?? 0) - before
            return growth > 8 ? "\(name) has \(growth) descriptors more than before" : nil
        }
        return ended + grown
    }

    func end() async {
        for server in servers { await server.end() }
        if let postgres { await Bench.endPostgres(postgres) }
    }
}
