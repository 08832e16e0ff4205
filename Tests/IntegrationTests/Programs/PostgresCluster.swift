import Foundation
import SlimLab
import Testing

/// PostgreSQL with a database of its own, in a folder that goes with it.
struct PostgresCluster {
    private static let user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    static let port = "6300"

    /// Where its programs are.
    let programs: String
    private let folder: TemporaryFolder
    private let server: [String]

    init(_ fixture: Fixture) async throws {
        let root = "/usr/lib/postgresql"
        let versions = try FileManager.default.contentsOfDirectory(atPath: root).sorted()
        programs = "\(root)/\(try #require(versions.last, "postgresql is missing: make deps"))/bin"
        folder = try TemporaryFolder()
        let data = "\(folder.path)/data"
        try await fixture.check(["install", "-d", "-o", "postgres", data], on: nil)
        try await fixture.check(
            Self.user + ["\(programs)/initdb", "-D", data, "-A", "trust", "-N", "--no-locale", "-E", "UTF8"],
            on: nil)
        try await fixture.check(["sh", "-c", "echo 'host all all all trust' >>\(data)/pg_hba.conf"], on: nil)
        server =
            Self.user + [
                "\(programs)/postgres", "-D", data, "-p", Self.port, "-c", "listen_addresses=0.0.0.0", "-c",
                "unix_socket_directories=\(data)", "-c", "fsync=off",
            ]
    }

    /// Has it used on a container.
    func withServer(_ fixture: Fixture, on node: String, _ body: (_ address: String) async throws -> Void) async throws
    {
        let address = try fixture.address(node)
        try await fixture.withServer(server, on: node, until: "ready to accept connections") { _ in
            try await body(address)
        }
    }

    /// Where clients find it.
    static func target(_ address: String) -> [String] { ["-h", address, "-p", port, "-U", "postgres"] }

    /// `psql` that prints bare values; to be followed by its commands.
    func psql(_ address: String) -> [String] {
        ["\(programs)/psql"] + Self.target(address) + ["-X", "-A", "-t", "-d", "postgres"]
    }
}
