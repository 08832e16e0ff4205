import Foundation
import SlimAdmin
import SlimLab
import Testing

/// A lab of its own whose hosts' policies change.
struct PolicyLab {
    let faults: FaultLab
    private let folder: String
    var fixture: Fixture { faults.fixture }

    static func with(_ purpose: String, _ body: @Sendable (PolicyLab) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try await FaultLab.with("policy-" + purpose) { try await body(PolicyLab(faults: $0, folder: folder.path)) }
    }

    func client(_ host: String = "h1") -> AdminClient {
        AdminClient(socketPath: fixture.lab.directory.adminSocket(host))
    }

    /// Writes a policy file.
    func file(_ members: String) throws -> String {
        let path = "\(folder)/\(UUID().uuidString).json"
        try "{\"version\": 1, \(members)}".write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// Takes a policy into force, as an operator does.
    @discardableResult
    func reload(_ members: String, on hosts: [String] = ["h1"]) async throws -> ReloadReport {
        let path = try file(members)
        var report: ReloadReport?
        for host in hosts {
            let outcome = try await slimctl(["reload", path, "--json"], host)
            try #require(outcome.status == 0, "\(outcome.errorOutput)")
            report = try JSONDecoder().decode(ReloadReport.self, from: Data(outcome.output.utf8))
        }
        return try #require(report)
    }

    /// `slimctl policy`, for one host's router.
    func slimctl(_ arguments: [String], _ host: String = "h1") async throws -> LabProcess.Outcome {
        try await fixture.slimctl(["policy"] + arguments + ["--router", fixture.lab.directory.adminSocket(host)])
    }

    /// What curl's exit status says of a server: 0 answered, 7 refused, 28 timed out.
    func curl(_ node: String, from client: String, port: Int, overlay: Bool = false) async throws -> Int32 {
        try await fixture.run(
            ["curl", "-4", "-s", "-o", "/dev/null", "-m", "2", "http://\(try fixture.address(node)):\(port)/"],
            on: client, overlay: overlay
        ).status
    }

    func ping(_ node: String, from client: String) async throws -> Bool {
        try await fixture.run(["ping", "-c", "1", "-W", "1", try fixture.address(node)], on: client).status == 0
    }

    /// A rule that denies one container the other, on a port.
    static func denial(
        _ name: String, from: String, to: String, ports: String = "", transport: String = "tcp", mode: String = "reject"
    ) -> String {
        let ports = ports.isEmpty ? "" : "\"ports\": [\(ports)], "
        return """
            {"name": "\(name)", "action": "deny", "mode": "\(mode)", "from": {"container": "\(from)"}, \
            "to": {"container": "\(to)"}, \(ports)"protocol": "\(transport)"}
            """
    }
}
