internal import SlimLab

/// All servers of the comparison: of each kind one for each network and placement, all at the same time, all on one core.
struct FullServers {
    /// The servers' core; the clients have the other where there is one.
    static let core = 0
    static let clientCore = ProcessorTime.processorCount > 1 ? 1 : 0
    /// A server that shares the clients' core.
    static let sharedPort = "7009"
    /// The same, whose connections are joined where both ends are on one host.
    static let joinedPort = "7010"

    static let pin = ["taskset", "-c", "\(core)"]
    static let clientPin = ["taskset", "-c", "\(clientCore)"]

    private var servers: [LabProcess] = []
    private var databases: [LabProcess] = []

    static func start(_ bench: Bench, _ folder: borrowing WorkFolder) async throws -> FullServers {
        var all = FullServers()
        say("starting the servers")
        try await bench.makeDatabase("database", folder)
        for placement in Placement.allCases {
            var bench = bench
            bench.placement = placement
            for mode in Mode.allCases {
                all.servers.append(try await bench.serveIperf(mode, pin: pin))
                all.servers.append(try await bench.serveProbe(mode))
                all.servers.append(try await bench.serveProbe(mode, port: sharedPort, cpu: clientCore))
                if placement == .oneHost {
                    all.servers.append(
                        try await bench.serveProbe(mode, port: joinedPort, cpu: clientCore, isJoined: true))
                }
                all.servers.append(try await bench.serveNginx(mode, folder, pin: pin))
                all.servers.append(try await bench.serveRedis(mode, folder, pin: pin))
                all.servers.append(try await bench.serve(mode, pin + Bench.memcached))
                _ = try await bench.client(
                    mode, Bench.untilConnected(try bench.address(mode), Bench.memcachedPort))
                let data = "\(folder.path)/\(placement.rawValue)-\(mode.rawValue)"
                try await bench.run(["cp", "-a", "\(folder.path)/database", data], on: nil, underSlim: false)
                let database = try await bench.serve(mode, pin + (try Bench.postgres(data)))
                all.databases.append(database)
                try await database.waitForOutput(Bench.postgresReady, atMost: .seconds(30))
            }
        }
        return all
    }

    func end() async {
        for server in servers { await server.end() }
        for database in databases { await Bench.endPostgres(database) }
    }
}
