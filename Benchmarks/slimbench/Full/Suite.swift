internal import SlimLab

/// What is measured in each round.
struct Suite {
    /// Requests per second at which processor time is compared: half of what the plain overlay manages.
    struct Rates: Encodable {
        let nginx: Int
        let memcached: Int
        let postgres: Int
    }

    private typealias Sample = (Metric, Double)
    private static let shared = ["--cpu", "\(FullServers.clientCore)"]
    private static let connections = 8
    private static let connects = ["--count", "250"]
    /// In its first second a stream shows how congestion control begins, not what a byte costs.
    private static let streamSeconds = 3
    private static let streamSamples = 2
    private static let manyStreamSamples = 4
    /// Into how many samples the runs by number of requests are cut, and those that promises depend on.
    private static let parts = 4
    private static let manyParts = 8
    /// With so many requests all three leave their connections in TIME_WAIT, and ports are not yet hard to find.
    private static let connectionRequests = 8000
    private static let connectionParts = 8

    let rates: Rates
    private let bench: Bench
    private let seconds: Int

    /// Finds the rates, and with that warms the overlay's servers.
    init(_ bench: Bench, seconds: Int) async throws {
        self.bench = bench
        self.seconds = seconds
        let pin = FullServers.clientPin
        let nginx = try await bench.load(
            .overlay, "http", port: Bench.webPort, connections: 16, rate: 0, seconds: seconds, pin: pin)
        let memcached = try await bench.load(
            .overlay, "memcached", port: Bench.memcachedPort, connections: 8, rate: 0, seconds: seconds, pin: pin)
        let postgres = try await bench.pgbench(.overlay, ["-c", "8"], seconds: seconds, pin: pin)
        let half = { (rate: Double) in max(500, Int(rate / 2) / 500 * 500) }
        rates = Rates(
            nginx: half(nginx.rate), memcached: half(memcached.rate), postgres: half(postgres.perSecond))
        say("fixed rates: nginx \(rates.nginx), memcached \(rates.memcached), PostgreSQL \(rates.postgres) a second")
    }

    /// Measures everything once: the three networks one directly after the other, another one first in each round.
    ///
    /// What much depends on is cut into short samples: this kind of machine is twice as fast in one second as in the next, and
    /// many short samples of three networks in turn have met the same machine sooner than a few long ones.
    func measure(_ placement: Placement, _ round: Int, _ results: inout Results) async throws {
        var bench = bench
        bench.placement = placement
        let modes = Mode.allCases
        for (measurement, samples) in [
            (throughput, Self.streamSamples), (fourStreams, Self.manyStreamSamples), (roundTrips, Self.parts),
            (setUps, Self.parts), (pinnedSetUps, Self.parts), (nginxKeepAlive, seconds * 2),
            (nginxConnections, Self.connectionParts), (redisGet, Self.manyParts), (redisSet, Self.parts),
            (redisConnections, Self.connectionParts), (memcached, 1), (postgres, 1), (postgresConnections, Self.parts),
            (fixedRates, 1),
        ] {
            for number in 0..<samples {
                for turn in modes.indices {
                    let mode = modes[(turn + round + number) % modes.count]
                    for (metric, value) in try await measurement(bench, mode) { results.add(metric, mode, value) }
                }
            }
        }
    }

    // MARK: Streams

    private func throughput(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let before = try bench.vxlanBytes()
        let (gigabits, bytes, processor) = try await streams(bench, mode, 1)
        let share = Double(try bench.vxlanBytes() - before) / bytes
        return [(.throughput, gigabits), (.throughputCPU, processor), (.vxlanShare, share)]
    }

    private func fourStreams(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let (gigabits, _, processor) = try await streams(bench, mode, 4)
        return [(.fourStreams, gigabits), (.fourStreamsCPU, processor)]
    }

    private func streams(
        _ bench: Bench, _ mode: Mode, _ count: Int
    ) async throws -> (gigabits: Double, bytes: Double, secondsPerGigabyte: Double) {
        var sum = (gigabits: 0.0, bytes: 0.0)
        let busy = try await processorTime {
            sum = try await bench.throughput(
                mode, streams: count, seconds: Self.streamSeconds, pin: FullServers.clientPin)
        }
        return (sum.gigabits, sum.bytes, busy / (sum.bytes / 1e9))
    }

    // MARK: Latency

    private func roundTrips(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let pinned = Self.shared + ["--count", "2500"]
        let one = try await bench.probe(mode, "rtt", port: FullServers.sharedPort, pinned)
        let many = try await bench.probe(mode, "rtt", port: FullServers.sharedPort, pinned + ["--bytes", "32"])
        let freeOne = try await bench.probe(mode, "rtt", ["--count", "1250"])
        let freeMany = try await bench.probe(mode, "rtt", ["--count", "1250", "--bytes", "32"])
        var joined: [Sample] = []
        if bench.placement == .oneHost {
            let report = try await bench.probe(
                mode, "rtt", port: FullServers.joinedPort, isJoined: true, pinned)
            joined = [(.joinedRoundTrip, report.p50)]
        }
        return joined + [
            (.roundTrip, one.p50), (.roundTripTail, one.p99), (.roundTrip32, many.p50), (.roundTrip32Tail, many.p99),
            (.freeRoundTrip, freeOne.p50), (.freeRoundTripTail, freeOne.p99), (.freeRoundTrip32, freeMany.p50),
            (.freeRoundTrip32Tail, freeMany.p99),
        ]
    }

    private func setUps(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let connect = try await bench.probe(mode, "connect", Self.connects)
        let echo = try await bench.probe(mode, "connect-echo", Self.connects)
        let first = try await bench.firstConnects(mode)
        return [
            (.connect, connect.p50), (.connectEcho, echo.p50), (.connectFirst, first.ofProgram),
            (.connectFirstOfHost, first.ofHost), (.exec, try await bench.exec(mode)),
        ]
    }

    /// Programs and routers on one core: what is left without waking another one.
    private func pinnedSetUps(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        var samples: [Sample] = []
        try await bench.withRouters(on: FullServers.clientCore) {
            let port = FullServers.sharedPort
            let connect = try await bench.probe(mode, "connect", port: port, Self.shared + Self.connects)
            let echo = try await bench.probe(mode, "connect-echo", port: port, Self.shared + Self.connects)
            let first = try await bench.firstConnects(mode, Self.shared)
            samples = [
                (.pinnedConnect, connect.p50), (.pinnedConnectEcho, echo.p50), (.pinnedConnectFirst, first.ofProgram),
                (.pinnedConnectFirstOfHost, first.ofHost),
            ]
        }
        return samples
    }

    // MARK: Servers

    private func nginxKeepAlive(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let text = try await bench.client(
            mode,
            FullServers.clientPin + [
                "wrk", "-t1", "-c16", "-d1s", "http://\(try bench.address(mode)):\(Bench.webPort)/",
            ])
        guard !text.contains("Socket errors"), !text.contains("Non-2xx"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Requests/sec:") }),
            let rate = line.split(separator: " ").compactMap({ Double($0) }).first
        else { throw LabError(.state, "wrk on \(mode.rawValue) has not counted, or counted failures: \(text)") }
        return [(.nginxKeepAlive, rate)]
    }

    private func nginxConnections(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let rate = try await bench.apacheBench(
            mode, requests: Self.connectionRequests / Self.connectionParts, keepAlive: false,
            pin: FullServers.clientPin)
        return [(.nginxConnections, rate)]
    }

    private func redisGet(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let rate = try await bench.redisBenchmark(
            mode, "get", requests: 160_000 / Self.manyParts, pin: FullServers.clientPin)
        return [(.redisGet, rate)]
    }

    private func redisSet(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let rate = try await bench.redisBenchmark(
            mode, "set", requests: 40_000 / Self.parts, pin: FullServers.clientPin)
        return [(.redisSet, rate)]
    }

    private func redisConnections(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let rate = try await bench.redisBenchmark(
            mode, "get", requests: Self.connectionRequests / Self.connectionParts, keepAlive: false,
            pin: FullServers.clientPin)
        return [(.redisConnections, rate)]
    }

    private func memcached(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let report = try await bench.load(
            mode, "memcached", port: Bench.memcachedPort, connections: Self.connections, rate: 0, seconds: seconds,
            pin: FullServers.clientPin)
        return [(.memcached, report.rate), (.memcachedLatency, report.p50), (.memcachedTail, report.p99)]
    }

    private func postgres(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let kept = try await bench.pgbench(
            mode, ["-c", "\(Self.connections)"], seconds: seconds, pin: FullServers.clientPin)
        return [(.pgbench, kept.perSecond)]
    }

    private func postgresConnections(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let single = try await bench.pgbench(
            mode, ["-c", "\(Self.connections)", "-C"], seconds: seconds, pin: FullServers.clientPin)
        return [(.pgbenchConnections, single.perSecond)]
    }

    // MARK: Processor time at a fixed rate

    private func fixedRates(_ bench: Bench, _ mode: Mode) async throws -> [Sample] {
        let pin = FullServers.clientPin
        var requests = 0.0
        let nginx = try await processorTime {
            requests = Double(
                try await bench.load(
                    mode, "http", port: Bench.webPort, connections: 16, rate: rates.nginx, seconds: seconds, pin: pin
                ).count)
        }
        let nginxRequests = requests
        let memcached = try await processorTime {
            requests = Double(
                try await bench.load(
                    mode, "memcached", port: Bench.memcachedPort, connections: 16, rate: rates.memcached,
                    seconds: seconds, pin: pin
                ).count)
        }
        let memcachedRequests = requests
        let postgres = try await processorTime {
            requests = try await bench.pgbench(mode, ["-c", "8"], seconds: seconds, rate: rates.postgres, pin: pin)
                .count
        }
        return [
            (.nginxCPU, nginx / nginxRequests * 1e6), (.memcachedCPU, memcached / memcachedRequests * 1e6),
            (.postgresCPU, postgres / requests * 1e6),
        ]
    }

    /// Seconds that the processors were busy with something: less what they are busy with anyway.
    private func processorTime(_ body: () async throws -> Void) async throws -> Double {
        let first = ProcessorTime.now()
        try await Task.sleep(for: .milliseconds(300))
        let start = ProcessorTime.now()
        let idle = start.since(first)
        let share = idle.busy / idle.elapsed
        if share > 0.2 {
            say(
                "this machine does something else too, \(Results.text(share * 100, 0)) % of a core: do not trust the numbers"
            )
        }
        try await body()
        let used = ProcessorTime.now().since(start)
        return max(0, used.busy - share * used.elapsed)
    }
}
