import SlimAdmin
import SlimLab
import Testing

extension Integration.Resilience {
    /// Firewalls between the hosts that are changed while routers run.
    @Suite struct FirewallFaults {
        private static let echoPort = 7821

        @Test(arguments: ["drop", "reject with tcp reset"])
        func `data ports that are closed and opened again`(verdict: String) async throws {
            try await FaultLab.with("ports") { lab in
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    try await lab.firewall(on: "h2", "tcp dport 4800-4807 \(verdict)")
                    try await eventually("the data ports are not used") {
                        // Connections are what makes the router look.
                        _ = try await lab.attempt(from: "h1c1", to: "h2c1", port: Self.echoPort, patience: 1)
                        return try await lab.base.client().hosts().allSatisfy { $0.connected && $0.dataPorts.isEmpty }
                    }
                    for _ in 0..<3 { try await lab.expectOverlay(from: "h1c1", to: "h2c1", port: Self.echoPort) }
                    // A router that has never seen them open does not use them either.
                    try await lab.lab.router(of: "h1").kill()
                    try await lab.lab.startRouter(of: "h1", lab.fixture.binaries)
                    try await lab.expectOverlay(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    try await lab.allowAll(on: "h2")
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    #expect(try lab.base.logged("Is TCP 480") > 0)
                }
            }
        }

        /// Connections to the other host that are made while nothing else happens, and that must not cross the overlay.
        private func expectFast(_ lab: FaultLab, count: Int) async throws {
            try await lab.fixture.expectFastPath(connections: count, bytes: count * 4000) {
                for _ in 0..<(count / 5) {
                    try await lab.expectEcho(from: "h1c1", to: "h2c1", port: Self.echoPort)
                }
            }
        }

        private func droppedPackets(_ lab: FaultLab) async throws -> Int {
            let words = try await lab.fixture.check(["nft", "list", "table", "inet", "slimtest"], on: "h2")
                .split(whereSeparator: \.isWhitespace)
            let position = try #require(words.firstIndex(of: "packets"))
            return Int(words[position + 1]) ?? 0
        }

        @Test func `a firewall that drops SYNs with data costs nobody a connection or a byte`() async throws {
            try await FaultLab.with("syn") { lab in
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    // IP and TCP headers have 60 bytes at most, with every option that a SYN has.
                    try await lab.firewall(
                        on: "h2", "tcp dport 4800-4807 tcp flags & (syn | ack) == syn ip length > 100 counter drop")
                    // While the router finds out, connections take the overlay, or wait for a SYN that has no data.
                    try await eventually("the router has found out") {
                        _ = try await lab.attempt(from: "h1c1", to: "h2c1", port: Self.echoPort)
                        return try await lab.base.client().hosts().allSatisfy { !$0.fastOpen && !$0.dataPorts.isEmpty }
                    }
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    try await lab.withStreams(20) { streams in
                        let dropped = try await droppedPackets(lab)
                        #expect(dropped > 0)
                        try await expectFast(lab, count: 20)
                        #expect(try await droppedPackets(lab) - dropped < 10, "connections begin without data")
                        try await streams.goOn(lab)
                        try await lab.allowAll(on: "h2")
                        try await expectFast(lab, count: 20)
                        try await streams.goOn(lab)
                    }
                }
            }
        }
    }
}
