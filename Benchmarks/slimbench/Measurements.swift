internal import FoundationEssentials
internal import SlimLab

/// One measurement each, by programs that know nothing of Slim.
extension Bench {
    static let iperfPort = "5201"
    static let probePort = "7007"

    func serveIperf(_ mode: Mode, pin: [String] = []) async throws(LabError) -> LabProcess {
        try await serve(
            mode, pin + ["iperf3", "-s", "-4", "--forceflush", "-p", Self.iperfPort], until: "Server listening")
    }

    /// What programs run by that ask for joined connections within a host.
    private static let joined = ["env", "SLIM_SAME_HOST=joined"]

    /// - Parameter cpu: keeps the server on one core.
    func serveProbe(
        _ mode: Mode, port: String = probePort, cpu: Int? = nil, isJoined: Bool = false
    ) async throws(LabError) -> LabProcess {
        let pin = cpu.map { ["--cpu", "\($0)"] } ?? []
        return try await serve(
            mode, (isJoined ? Self.joined : []) + [Self.probeProgram, "serve", "-4", "--port", port] + pin,
            until: "ready")
    }

    /// Streams for some seconds.
    ///
    /// - Returns: Gbit/s, and the bytes that the receiver got.
    func throughput(
        _ mode: Mode, streams: Int = 1, seconds: Int, pin: [String] = []
    ) async throws -> (gigabits: Double, bytes: Double) {
        let text = try await client(
            mode,
            pin + [
                "iperf3", "-4", "-c", try address(mode), "-p", Self.iperfPort, "-t", "\(seconds)", "-P", "\(streams)",
                "-J",
            ])
        let sum = try JSONDecoder().decode(IperfReport.self, from: Data(text.utf8)).end.received
        return (sum.bitsPerSecond / 1e9, sum.bytes)
    }

    /// Times of `slimprobe`'s verbs.
    func probe(
        _ mode: Mode, _ verb: String, port: String = probePort, isJoined: Bool = false, _ options: [String]
    ) async throws -> ProbeReport {
        let prefix = isJoined ? Self.joined : []
        let text = try await client(mode, prefix + [Self.probeProgram, verb, try address(mode), port, "-4"] + options)
        return try JSONDecoder().decode(ProbeReport.self, from: Data(text.utf8))
    }

    /// What `connect()` takes a program that connects to each of many listeners once: p50 in microseconds.
    ///
    /// - Returns: of the host's first program to do so, and of the next one.
    func firstConnects(_ mode: Mode, _ options: [String] = []) async throws -> (ofHost: Double, ofProgram: Double) {
        let many = ["--ports", "\(Self.firstPorts)"] + options
        let server = try await serve(
            mode, [Self.probeProgram, "serve-many", "--port", Self.firstPort] + many, until: "ready")
        let ofHost = try await probe(mode, "connect-first", port: Self.firstPort, many).p50
        let ofProgram = try await probe(mode, "connect-first", port: Self.firstPort, many).p50
        await server.end()
        return (ofHost, ofProgram)
    }

    static let firstPort = "7100"
    static let firstPorts = 200

    /// - Returns: the median in microseconds of starting a program that does nothing, and waiting for its end.
    func exec(_ mode: Mode) async throws -> Double {
        let text = try await client(mode, [Self.probeProgram, "exec", "/bin/true", "--count", "100"])
        return try JSONDecoder().decode(ProbeReport.self, from: Data(text.utf8)).p50
    }

    /// - Returns: requests per second.
    func apacheBench(_ mode: Mode, requests: Int, keepAlive: Bool, pin: [String] = []) async throws -> Double {
        let url = "http://\(try address(mode)):\(Self.webPort)/"
        let text = try await client(
            mode, pin + ["ab", "-q", "-n", "\(requests)", "-c", "16"] + (keepAlive ? ["-k"] : []) + [url])
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Requests per second:") }),
            let number = line.split(separator: " ").compactMap({ Double($0) }).first,
            text.contains("Failed requests:        0")
        else { throw notCounted("ab", mode, text) }
        return number
    }

    /// - Parameters:
    ///   - operation: as redis-benchmark calls it: `get`, `set`.
    ///   - keepAlive: else each request has a connection of its own.
    /// - Returns: requests per second of 8 clients.
    func redisBenchmark(
        _ mode: Mode, _ operation: String, requests: Int, keepAlive: Bool = true, pin: [String] = []
    ) async throws -> Double {
        let text = try await client(
            mode,
            pin + [
                "redis-benchmark", "-h", try address(mode), "-p", Self.redisPort, "-t", operation, "-n",
                "\(requests)", "-c", "8", "-k", keepAlive ? "1" : "0", "--csv",
            ])
        let line = text.split(separator: "\n").last { $0.hasPrefix("\"\(operation.uppercased())\"") }
        guard let fields = line?.split(separator: ","), fields.count > 1,
            let number = Double(fields[1].dropFirst().dropLast())
        else { throw notCounted("redis-benchmark", mode, text) }
        return number
    }

    /// Read-only transactions of pgbench.
    ///
    /// - Parameter rate: transactions per second; `nil` as many as it can.
    /// - Returns: transactions, and how many per second.
    func pgbench(
        _ mode: Mode, _ options: [String], seconds: Int, rate: Int? = nil, pin: [String] = []
    ) async throws -> (count: Double, perSecond: Double) {
        let text = try await client(
            mode,
            pin + [
                "\(try Self.postgresPrograms())/pgbench", "-h", try address(mode), "-p", Self.postgresPort, "-U",
                "postgres", "-n", "-S", "-T", "\(seconds)",
            ] + options + (rate.map { ["-R", "\($0)"] } ?? []) + ["postgres"])
        func number(after mark: String) -> Double? {
            text.firstRange(of: mark).flatMap { range in
                Double(text[range.upperBound...].prefix { $0.isNumber || $0 == "." })
            }
        }
        guard text.contains("number of failed transactions: 0 "),
            let count = number(after: "number of transactions actually processed: "), let rate = number(after: "tps = ")
        else { throw notCounted("pgbench", mode, text) }
        return (count, rate)
    }

    /// Requests on kept connections.
    ///
    /// - Parameter rate: requests per second; 0 is as many as it can.
    func load(
        _ mode: Mode, _ name: String, port: String, connections: Int, rate: Int, seconds: Int, pin: [String] = []
    ) async throws -> LoadReport {
        let text = try await client(
            mode,
            pin + [
                Self.probeProgram, "load", name, try address(mode), port, "-4", "--connections", "\(connections)",
                "--rate", "\(rate)", "--seconds", "\(seconds)",
            ])
        return try JSONDecoder().decode(LoadReport.self, from: Data(text.utf8))
    }

    private func notCounted(_ program: String, _ mode: Mode, _ text: String) -> LabError {
        LabError(.state, "\(program) on \(mode.rawValue) has not counted, or counted failures: \(text.suffix(600))")
    }
}

/// What `slimprobe` prints of times: in microseconds.
struct ProbeReport: Decodable {
    let p50: Double
    let p99: Double
    let max: Double
    /// How many in a second, where that is told.
    let rate: Double?
}

/// What `slimprobe load` prints.
struct LoadReport: Decodable {
    let count: Int
    /// Requests per second.
    let rate: Double
    let p50: Double
    let p99: Double
}
