import SlimLab
import Testing

extension Integration.Resilience {
    /// A peer whose router is dead, or that cannot be reached at all: whoever connects there fares as on the plain overlay,
    /// and nobody else notices.
    @Suite struct PeerFaults {
        private static let echoPort = 7831
        private static let nobodysPort = 7832

        /// Has a lab of three hosts used, of which the second is about to suffer. Streams between the others go on meanwhile,
        /// and those are still on the fast path afterwards.
        private func withBystanders(
            _ purpose: String, _ body: @Sendable (FaultLab) async throws -> Void
        ) async throws {
            try await FaultLab.with(purpose, hosts: 3) { lab in
                try await lab.withEchoServer(on: "h3c1", port: Self.echoPort) { _ in
                    try await lab.withStreams(20, from: "h1c2", to: "h3c1") { streams in
                        try await lab.withStreams(10, from: "h1c2", to: "h1c1", port: 7833) { local in
                            try await body(lab)
                            try await lab.fixture.expectFastPath(connections: 5) {
                                try await lab.expectEcho(from: "h1c2", to: "h3c1", port: Self.echoPort)
                            }
                            try await local.goOn(lab)
                        }
                        try await streams.goOn(lab)
                    }
                }
            }
        }

        /// Compares what a program gets with and without the library.
        private func expectAsOverlay(
            _ lab: FaultLab, port: Int, result: String, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            async let overlay = lab.attempt(from: "h1c1", to: "h2c1", port: port, overlay: true)
            async let polling = lab.attempt(from: "h1c1", to: "h2c1", port: port, patience: 40)
            let blocking = try await lab.attempt(from: "h1c1", to: "h2c1", port: port)
            let plain = try await overlay
            #expect(plain.result == result, sourceLocation: sourceLocation)
            for slim in [blocking, try await polling] {
                #expect(slim.result == plain.result, sourceLocation: sourceLocation)
                // The same class of time, however busy the machine is.
                #expect(slim.seconds < plain.seconds * 3 + 3, sourceLocation: sourceLocation)
            }
        }

        @Test func `a peer whose router is dead is reached by the overlay`() async throws {
            try await withBystanders("dead") { lab in
                try await lab.endRouter(of: "h2")
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await expectAsOverlay(lab, port: Self.echoPort, result: "connected")
                    try await lab.expectOverlay(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    try await expectAsOverlay(lab, port: Self.nobodysPort, result: "ECONNREFUSED")
                    // One that was never there, to a router that has just started.
                    try await lab.lab.router(of: "h1").stop()
                    try await lab.lab.startRouter(of: "h1", lab.fixture.binaries)
                    try await expectAsOverlay(lab, port: Self.echoPort, result: "connected")
                    try await expectAsOverlay(lab, port: Self.nobodysPort, result: "ECONNREFUSED")
                    try await lab.becomesFast(from: "h1c2", to: "h3c1", port: Self.echoPort)
                }
                try await lab.lab.startRouter(of: "h2", lab.fixture.binaries)
                try await lab.withEchoServer(on: "h2c2", port: Self.echoPort) { _ in
                    try await lab.becomesFast(from: "h1c1", to: "h2c2", port: Self.echoPort)
                }
            }
        }

        @Test(arguments: ["filtered", "off"])
        func `a peer that cannot be reached is as far away as on the overlay`(how: String) async throws {
            try await withBystanders("far-\(how)") { lab in
                // Three seconds until a connect gives up, instead of two minutes.
                for node in ["h1", "h1c1"] {
                    try await lab.fixture.check(["sysctl", "-qw", "net.ipv4.tcp_syn_retries=2"], on: node)
                }
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    if how == "off" {
                        try lab.setLink(of: "h2", up: false)
                        try await lab.fixture.check(["ip", "neigh", "flush", "dev", "under0"], on: "h1")
                    } else {
                        try await lab.firewall(on: "h2", "iifname under0 drop")
                    }
                    // Long enough that nobody believes any more that the way is open.
                    try await Task.sleep(for: .seconds(1))
                    try await expectAsOverlay(lab, port: Self.echoPort, result: "ETIMEDOUT")
                    if how == "off" {
                        try lab.setLink(of: "h2", up: true)
                    } else {
                        try await lab.allowAll(on: "h2")
                    }
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                }
            }
        }
    }
}
