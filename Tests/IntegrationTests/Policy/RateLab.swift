import Foundation
import SlimLab
import Testing

/// A lab whose hosts' policies limit and prefer, and iperf3 servers in it.
struct RateLab {
    let lab: PolicyLab
    var fixture: Fixture { lab.fixture }

    static func with(_ purpose: String, _ body: @Sendable (RateLab) async throws -> Void) async throws {
        try await PolicyLab.with(purpose) { try await body(RateLab(lab: $0)) }
    }

    /// Has iperf3 serve in a container, on one port after the other.
    func withServers(
        on node: String, ports: [Int], overlay: Bool = false, _ body: () async throws -> Void
    ) async throws {
        guard let port = ports.first else { return try await body() }
        let server = ["iperf3", "-s", "-4", "--forceflush", "-p", "\(port)"]
        try await fixture.withServer(server, on: node, overlay: overlay, until: "Server listening") { _ in
            try await withServers(on: node, ports: Array(ports.dropFirst()), overlay: overlay, body)
        }
    }

    /// A stream, or several, of iperf3.
    struct Stream {
        let client: String
        let server: String
        let port: Int
        var overlay = false
        var connections = 1
        var seconds = 3
        var options: [String] = []
    }

    func program(_ stream: Stream) throws -> LabProgram {
        fixture.program(
            [
                "iperf3", "-4", "-J", "-c", try fixture.address(stream.server), "-p", "\(stream.port)", "-P",
                "\(stream.connections)", "-t", "\(stream.seconds)",
            ] + stream.options, on: stream.client, overlay: stream.overlay)
    }

    /// What streams that ran at once have transferred, in Mbit/s as their receivers saw it.
    struct Result {
        /// Each by itself, while it ran.
        let each: [Double]
        /// All of them, from the start of the first to the end of the last.
        let together: Double
    }

    /// Has streams run at once.
    func measure(
        _ streams: Stream..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Result {
        let start = ContinuousClock.now
        let processes = try streams.map { try fixture.lab.start(try program($0)) }
        var rates: [Double] = []
        var megabits = 0.0
        for process in processes {
            let outcome = try await process.wait(atMost: .seconds(60))
            try #require(
                outcome.status == 0, "iperf3: \(outcome.errorOutput)\(outcome.output)", sourceLocation: sourceLocation)
            let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
            let sum = try #require(
                (report?["end"] as? [String: Any])?["sum_received"] as? [String: Any],
                "iperf3: \(outcome.errorOutput)\(outcome.output.suffix(1500))", sourceLocation: sourceLocation)
            rates.append(try #require(sum["bits_per_second"] as? Double) / 1e6)
            megabits += try #require(sum["bytes"] as? Double) * 8 / 1e6
        }
        return Result(each: rates, together: megabits / ((ContinuousClock.now - start) / .seconds(1)))
    }

    /// Has one stream run.
    func rate(_ stream: Stream, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Double {
        try await measure(stream, sourceLocation: sourceLocation).each[0]
    }

    /// What a report says of each second, in Mbit/s.
    static func intervals(_ text: String) throws -> [Double] {
        let report = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let intervals = try #require(report?["intervals"] as? [[String: Any]])
        return intervals.compactMap { (($0["sum"] as? [String: Any])?["bits_per_second"] as? Double).map { $0 / 1e6 } }
    }

    /// An entry of `bandwidth`.
    static func bandwidth(_ name: String, _ container: String, _ limits: String) -> String {
        "{\"name\": \"\(name)\", \"select\": {\"container\": \"\(container)\"}, \(limits)}"
    }

    /// Whatever of traffic control and its marks there is on a host.
    func traces(on host: String) async throws -> String {
        let queues = try await fixture.check(["tc", "qdisc", "show"], on: host)
        let lines = queues.split(separator: "\n").filter { $0.contains("htb") || $0.contains("clsact") }
        let link = try await fixture.run(["ip", "-o", "link", "show", "slim-rates"], on: host).output
        let tables = try await fixture.check(["nft", "list", "tables"], on: host)
        return lines.joined(separator: "\n") + link + (tables.contains("slim_rates") ? "slim_rates" : "")
    }

    func classes(on host: String) async throws -> String {
        try await fixture.run(["tc", "class", "show", "dev", "slim-rates"], on: host).output
    }

    /// The bytes with a DSCP value that have come to each host over the underlay since it was asked first.
    func marked(on hosts: [String], dscp: String) async throws -> [UInt64] {
        var counts: [UInt64] = []
        for host in hosts {
            let list = ["nft", "list", "counter", "inet", "slimtest", "marked"]
            if try await fixture.run(list, on: host).status != 0 {
                let table = """
                    table inet slimtest {
                        counter marked { }
                        chain in { type filter hook prerouting priority raw; iifname "under0" ip dscp \(dscp) counter name marked; }
                    }
                    """
                try await fixture.check(["nft", table], on: host)
            }
            let words = try await fixture.check(list, on: host).split(whereSeparator: \.isWhitespace)
            let bytes = try #require(words.firstIndex(of: "bytes"))
            counts.append(try #require(UInt64(words[bytes + 1])))
        }
        return counts
    }
}
