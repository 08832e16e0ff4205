import Foundation
import SlimAdmin
import SlimLab
import Testing

/// A lab of its own for each test of faults, and what such tests look at.
struct FaultLab {
    static let helpers = Fixture.project + "/Tests/IntegrationTests/Faults/Helpers"
    static let probe = Fixture.programs + "/slimprobe"
    /// What ``expectEcho`` sends and gets back, together.
    static let echoBytes: UInt64 = 5 * 2 * 2000

    let base: HostileLab
    var fixture: Fixture { base.fixture }
    var lab: Lab { base.fixture.lab }

    static func with(
        _ purpose: String, hosts: Int = 2, containers: Int = 2, _ body: @Sendable (FaultLab) async throws -> Void
    ) async throws {
        try await Fixture.withLab("fault-" + purpose, hosts: hosts, containers: containers) {
            try await body(FaultLab(base: HostileLab(fixture: $0)))
        }
    }

    // MARK: Connections

    /// Starts an echo server that says when it is ready, and ends it afterwards.
    func withEchoServer(
        on node: String, port: Int, overlay: Bool = false, _ body: (LabProcess) async throws -> Void
    ) async throws {
        let server = [Self.probe, "serve", "-4", "--port", "\(port)"]
        // Not the end of "Address already in use".
        try await fixture.withServer(server, on: node, overlay: overlay, until: "ready\n", body)
    }

    /// Makes five connections on which some bytes go to and fro.
    func expectEcho(
        from client: String, to server: String, port: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await fixture.check(
            [
                Self.probe, "connect-echo", try fixture.address(server), "\(port)", "--count", "5", "--bytes", "2000",
            ], on: client, sourceLocation: sourceLocation)
    }

    /// What became of one connect(), and after how long.
    struct Attempt {
        let result: String
        let seconds: Double
    }

    /// - Parameter patience: how long a program waits that does not block; `nil` for one that does.
    func attempt(
        from client: String, to server: String, port: Int, overlay: Bool = false, patience: Double? = nil
    ) async throws -> Attempt {
        var program = ["python3", Self.helpers + "/attempt.py", try fixture.address(server), "\(port)"]
        if let patience { program.append("\(patience)") }
        let words = try await fixture.check(program, on: client, overlay: overlay, atMost: .seconds(60))
            .split(whereSeparator: \.isWhitespace)
        return Attempt(result: String(words[0]), seconds: Double(words[1]) ?? -1)
    }

    // MARK: Paths

    func handedOver(by host: String = "h1") async throws -> UInt64 {
        try await base.client(host).status().counts["connectsHandedOver"] ?? 0
    }

    /// Waits until new connections are handed over as host sockets, and tells how long that took.
    @discardableResult
    func becomesFast(
        from client: String, to server: String, port: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Duration {
        let host = String(client.prefix(2))
        let start = ContinuousClock.now
        try await eventually(
            "connections from \(client) to \(server) are on the fast path", sourceLocation: sourceLocation
        ) {
            guard let before = try? await handedOver(by: host) else { return false }
            let result = try await attempt(from: client, to: server, port: port).result
            let after = try await handedOver(by: host)
            return result == "connected" && after > before
        }
        return ContinuousClock.now - start
    }

    /// Makes connections that must take the packet overlay: their bytes cross the VXLAN device.
    func expectOverlay(
        from client: String, to server: String, port: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let bytes = try await fixture.vxlanBytes {
            try await expectEcho(from: client, to: server, port: port, sourceLocation: sourceLocation)
        }
        #expect(bytes > Self.echoBytes, "bytes on the VXLAN device", sourceLocation: sourceLocation)
    }

    // MARK: Faults

    func firewall(on host: String, _ rule: String) async throws { try await fixture.firewall(on: host, [rule]) }
    func allowAll(on host: String) async throws { try await fixture.allowAll(on: host) }
    func setLink(of host: String, up: Bool) throws { try lab.setLink(of: host, up: up) }

    /// Ends a host's router and its keeper, as a machine does that loses power: nothing is kept.
    func endRouter(of host: String) async throws {
        try await lab.router(of: host).kill()
        try await fixture.check(["python3", HostileLab.helpers + "/keeper.py", "KILL"], on: host)
    }

    /// The processor time that processes have used, in clock ticks: 100 are a second.
    func processorTicks(of processes: [LabProcess]) throws -> Int {
        try processes.reduce(0) { sum, process in
            let stat = try String(contentsOfFile: "/proc/\(process.id)/stat", encoding: .utf8)
            let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
            return sum + (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
        }
    }
}
