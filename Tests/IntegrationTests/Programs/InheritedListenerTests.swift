import SlimLab
import Testing

extension Integration {
    @Suite struct InheritedListeners {
        private static let program = """
            import socket
            listener = socket.socket(fileno=3)
            while True:
                c, a = listener.accept()
                # It listens on IPv6.
                c.sendall(f'{a[0]} {c.getsockname()[0]}\\n'.replace('::ffff:', '').encode())
                c.close()
            """

        private func expectAnswers(_ fixture: Fixture, _ placement: Placement, port: String) async throws {
            let address = try fixture.address(placement.server)
            try await fixture.expectFastPath(connections: 3) {
                let client = ["/usr/bin/python3", Fixture.helper("listeners.py"), "ask", address, port, port, port]
                let answer = "\(try fixture.address(Placement.client)) \(address)\n"
                #expect(try await fixture.check(client, on: Placement.client) == answer + answer + answer)
            }
        }

        @Test(arguments: Placement.allCases)
        func `a listener that is inherited over exec is served`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let server = ["/usr/bin/python3", Fixture.helper("listeners.py"), "activated", "6900"]
            try await fixture.withServer(server, on: placement.server, until: "ready 6900") { _ in
                try await expectAnswers(fixture, placement, port: "6900")
            }
        }

        // It hands on no environment that it is not told to.
        @Test(arguments: Placement.allCases)
        func `systemd-socket-activate starts a server on the first connection`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let server = [
                "systemd-socket-activate", "-l", "6910", "-E", "LD_PRELOAD", "-E", "SLIM_ROUTER", "/usr/bin/python3",
                "-c",
                Self.program,
            ]
            try await fixture.withServer(server, on: placement.server, until: "Listening on") { _ in
                try await expectAnswers(fixture, placement, port: "6910")
            }
        }
    }
}
