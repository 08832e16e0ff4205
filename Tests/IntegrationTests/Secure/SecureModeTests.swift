import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration {
    /// Secure mode as a whole: router, guard and containers.
    @Suite(.serialized) struct SecureMode {
        private static let secretPort = 9911

        static func helper(_ name: String) -> String {
            "\(Fixture.project)/Tests/IntegrationTests/Secure/Helpers/\(name)"
        }

        /// What a hostile program in h1c1 says of its attempt to read a secret from its host's loopback.
        private func escape(_ fixture: Fixture) async throws -> String {
            let server =
                "import socket; s = socket.create_server(('127.0.0.1', \(Self.secretPort))); print('ready', "
                + "flush=True)\nwhile True: s.accept()[0].sendall(b'the secret')"
            return try await fixture.withServer(["python3", "-c", server], on: "h1", until: "ready") { _ in
                try await fixture.withServer(
                    ["python3", "-u", "-m", "http.server", "8000"], on: "h2c1", until: "Serving"
                ) { _ in
                    try await fixture.check(
                        [
                            "python3", Self.helper("escape.py"), try fixture.address("h2c1"), "8000",
                            String(Self.secretPort),
                        ], on: "h1c1")
                }
            }
        }

        @Test func `a hostile container reads from its host's loopback, but not in secure mode`() async throws {
            try await Fixture.withLab("insecure", secure: false) { fixture in
                let words = try await escape(fixture)
                #expect(words.contains("reconnect read: the secret"), "\(words)")
            }
            try await Fixture.withLab("secure", secure: true) { fixture in
                try await fixture.expectFastPath {
                    let words = try await escape(fixture)
                    #expect(words.contains("reconnect refused: EPERM"), "\(words)")
                    let own = try fixture.address("h1c1")
                    #expect(words.contains("connected from \(own)"), "\(words)")
                }
            }
        }
    }
}
