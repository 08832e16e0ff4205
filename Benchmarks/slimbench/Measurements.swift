internal import FoundationEssentials
internal import SlimLab

/// One measurement each, by programs that know nothing of Slim.
extension Bench {
    static let iperfPort = "5201"
    static let probePort = "7007"

    func serveIperf(_ mode: Mode) async throws(LabError) -> LabProcess {
        try await serve(mode, ["iperf3", "-s", "-4", "--forceflush", "-p", Self.iperfPort], until: "Server listening")
    }

    /// - Parameter cpu: keeps the server on one core.
    func serveProbe(_ mode: Mode, port: String = probePort, cpu: Int? = nil) async throws(LabError) -> LabProcess {
        let pin = cpu.map { ["--cpu", "\($0)"] } ?? []
        return try await serve(mode, [Self.probeProgram, "serve", "-4", "--port", port] + pin, until: "ready")
    }

    /// One stream for some seconds.
    ///
    /// - Returns: Gbit/s, and the bytes that the receiver got.
    func throughput(_ mode: Mode, seconds: Int) async throws -> (gigabits: Double, bytes: Double) {
        let text = try await client(
            mode, ["iperf3", "-4", "-c", try address(mode), "-p", Self.iperfPort, "-t", "\(seconds)", "-J"])
        let sum = try JSONDecoder().decode(IperfReport.self, from: Data(text.utf8)).end.received
        return (sum.bitsPerSecond / 1e9, sum.bytes)
    }

    /// - Returns: the median in microseconds.
    func probe(_ mode: Mode, _ verb: String, port: String = probePort, _ options: [String]) async throws -> Double {
        let text = try await client(mode, [Self.probeProgram, verb, try address(mode), port, "-4"] + options)
        return try JSONDecoder().decode(ProbeReport.self, from: Data(text.utf8)).p50
    }

    /// - Returns: the median in microseconds of starting a program that does nothing, and waiting for its end.
    func exec(_ mode: Mode) async throws -> Double {
        let text = try await client(mode, [Self.probeProgram, "exec", "/bin/true", "--count", "100"])
        return try JSONDecoder().decode(ProbeReport.self, from: Data(text.utf8)).p50
    }

    /// - Returns: requests per second.
    func apacheBench(_ mode: Mode, port: String, requests: Int, keepAlive: Bool) async throws -> Double {
        let url = "http://\(try address(mode)):\(port)/"
        let text = try await client(
            mode, ["ab", "-q", "-n", "\(requests)", "-c", "16"] + (keepAlive ? ["-k"] : []) + [url])
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Requests per second:") }),
            let number = line.split(separator: " ").compactMap({ Double($0) }).first,
            text.contains("Failed requests:        0")
        else {
            throw LabError(.state, "ab on \(mode.rawValue) has not counted, or counted failures: \(text.suffix(600))")
        }
        return number
    }

    /// - Returns: GET requests per second.
    func redisBenchmark(_ mode: Mode, port: String, requests: Int) async throws -> Double {
        let text = try await client(
            mode,
            [
                "redis-benchmark", "-h", try address(mode), "-p", port, "-t", "get", "-n", "\(requests)", "-c", "16",
                "--csv",
            ])
        let line = text.split(separator: "\n").last { $0.hasPrefix("\"GET\"") }
        guard let fields = line?.split(separator: ","), fields.count > 1,
            let number = Double(fields[1].dropFirst().dropLast())
        else { throw LabError(.state, "redis-benchmark on \(mode.rawValue) has not counted: \(text.suffix(600))") }
        return number
    }
}

/// What is read of `iperf3 -J`.
private struct IperfReport: Decodable {
    struct End: Decodable {
        let received: Sum

        enum CodingKeys: String, CodingKey { case received = "sum_received" }
    }

    struct Sum: Decodable {
        let bytes: Double
        let bitsPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case bytes
            case bitsPerSecond = "bits_per_second"
        }
    }

    let end: End
}

private struct ProbeReport: Decodable {
    let p50: Double
}
