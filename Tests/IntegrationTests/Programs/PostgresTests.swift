import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Postgres {
        private static let user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]

        private static func programs() throws -> String {
            let root = "/usr/lib/postgresql"
            let versions = try FileManager.default.contentsOfDirectory(atPath: root).sorted()
            return "\(root)/\(try #require(versions.last, "postgresql is missing: make deps"))/bin"
        }

        @Test func `psql and pgbench work everywhere, also with a connection per transaction`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let programs = try Self.programs()
            let data = "\(folder.path)/data"
            try await fixture.check(["install", "-d", "-o", "postgres", data], on: nil)
            try await fixture.check(
                Self.user + ["\(programs)/initdb", "-D", data, "-A", "trust", "-N", "--no-locale", "-E", "UTF8"],
                on: nil)
            try await fixture.check(
                ["sh", "-c", "echo 'host all all all trust' >>\(data)/pg_hba.conf"], on: nil)
            let server =
                Self.user + [
                    "\(programs)/postgres", "-D", data, "-p", "6300", "-c", "listen_addresses=0.0.0.0", "-c",
                    "unix_socket_directories=\(data)", "-c", "fsync=off",
                ]
            for placement in Placement.allCases {
                let address = try fixture.address(placement.server)
                try await fixture.withServer(
                    server, on: placement.server, until: "ready to accept connections"
                ) { _ in try await exercise(fixture, programs, address) }
            }
        }

        private func exercise(_ fixture: Fixture, _ programs: String, _ address: String) async throws {
            let client = Placement.client
            let target = ["-h", address, "-p", "6300", "-U", "postgres"]
            let psql = ["\(programs)/psql"] + target + ["-X", "-A", "-t", "-d", "postgres", "-c"]
            let pgbench = ["\(programs)/pgbench"] + target
            try await fixture.expectFastPath(connections: 300, bytes: 10_000_000) {
                let seen = try await fixture.check(psql + ["select host(inet_client_addr())"], on: client)
                #expect(seen == "\(try fixture.address(client))\n")
                let text = try await fixture.check(psql + ["select repeat('x', 10000000)"], on: client)
                #expect(text.utf8.count == 10_000_001)
                try await fixture.check(pgbench + ["-i", "-q", "-s", "1", "postgres"], on: client)
                for options in [["-t", "100"], ["-C", "-S", "-t", "60"]] {
                    let report = try await fixture.check(
                        pgbench + ["-n", "-c", "5", "-j", "2"] + options + ["postgres"], on: client)
                    #expect(report.contains("number of failed transactions: 0"))
                }
            }
        }
    }
}
