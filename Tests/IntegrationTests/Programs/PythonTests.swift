import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Python {
        /// The ways to serve that `servers.py` knows.
        private static let kinds = ["asyncio", "reuse_port", "fork", "spawn", "threading", "forking"]
        private static let command = ["/usr/bin/python3", Fixture.helper("servers.py")]

        @Test(arguments: kinds, Placement.allCases)
        func `a server answers asyncio clients`(kind: String, placement: Placement) async throws {
            let fixture = try Fixture.shared
            let port = "\(6400 + (Self.kinds.firstIndex(of: kind) ?? 0))"
            try await fixture.withServer(Self.command + [kind, port], on: placement.server, until: "ready") { _ in
                try await fixture.expectFastPath(connections: 101, bytes: 5_000_000) {
                    let client = Self.command + ["ask", try fixture.address(placement.server), port, "100"]
                    #expect(try await fixture.check(client, on: Placement.client) == "ok 100\n")
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `TLS is spoken end to end`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let credentials = ["\(folder.path)/server.crt", "\(folder.path)/server.key"]
            try await fixture.check(
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=server", "-out", credentials[0], "-keyout", credentials[1],
                ], on: nil)
            let server = Self.command + ["tls", "6410"] + credentials
            try await fixture.withServer(server, on: placement.server, until: "ready") { _ in
                try await fixture.expectFastPath(connections: 101, bytes: 5_000_000) {
                    let client = Self.command + ["ask", try fixture.address(placement.server), "6410", "100", "tls"]
                    #expect(try await fixture.check(client, on: Placement.client) == "ok 100\n")
                }
            }
        }
    }
}
