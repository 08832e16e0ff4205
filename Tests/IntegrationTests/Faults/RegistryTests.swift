import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration.Resilience {
    /// Changes of what routers know of each other, while they run and at their restart.
    @Suite struct RegistryFaults {
        private static let echoPort = 7861

        /// Restarts a router with another configuration.
        private func reconfigure(
            _ host: String, _ lab: FaultLab, _ change: (inout [String: Any]) throws -> Void
        ) async throws {
            let path = lab.lab.directory.routerConfiguration(host)
            let data = try Data(contentsOf: URL(filePath: path))
            var content = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            try change(&content)
            try JSONSerialization.data(withJSONObject: content).write(to: URL(filePath: path))
        }

        @Test func `peers come and go with their files`() async throws {
            try await FaultLab.with("peers") { lab in
                let directory = lab.lab.directory.hostDirectory("h1") + "/peers"
                let file = directory + "/h2.json"
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
                var peer = Data()
                try await lab.lab.router(of: "h1").stop()
                try await reconfigure("h1", lab) { content in
                    let peers = try #require(content["peers"] as? [[String: Any]])
                    peer = try JSONSerialization.data(withJSONObject: try #require(peers.first))
                    content["peers"] = []
                    content["peersDirectory"] = directory
                }
                try await lab.lab.startRouter(of: "h1", lab.fixture.binaries)
                #expect(try await lab.base.client().hosts().isEmpty)
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try peer.write(to: URL(filePath: file), options: .atomic)
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    try await lab.withStreams(20) { streams in
                        // A peer that is taken out is not talked to any more, but what stands is the programs'.
                        try FileManager.default.removeItem(atPath: file)
                        try await eventually("the peer is gone") {
                            try await lab.base.client().hosts().isEmpty
                        }
                        let attempt = try await lab.attempt(
                            from: "h1c1", to: "h2c1", port: Self.echoPort, patience: 10)
                        #expect(attempt.result != "connected")
                        try await streams.goOn(lab)
                        try peer.write(to: URL(filePath: file), options: .atomic)
                        try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    }
                }
            }
        }

        @Test func `an IPv6 underlay carries connections of IPv6 sockets, and everything else by the overlay`()
            async throws
        {
            try await FaultLab.with("v6") { lab in
                for host in ["h1", "h2"] { try await lab.endRouter(of: host) }
                for host in ["h1", "h2"] {
                    let path = lab.lab.directory.routerConfiguration(host)
                    try await lab.fixture.check([Fixture.slimctl, "overlay", "down", "--config", path], on: host)
                    var text = try String(contentsOfFile: path, encoding: .utf8)
                    for other in lab.lab.record.hosts {
                        text = text.replacingOccurrences(of: "\"\(other.address)\"", with: "\"\(other.address6)\"")
                    }
                    try text.write(toFile: path, atomically: true, encoding: .utf8)
                    #expect(text.contains("2001:db8::"))
                    #expect(!text.contains("192.0.2."))
                }
                for host in ["h1", "h2"] { try await lab.lab.startRouter(of: host, lab.fixture.binaries) }
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await eventually("the containers reach each other") {
                        try await lab.attempt(from: "h1c1", to: "h2c1", port: Self.echoPort).result == "connected"
                    }
                    try await lab.expectOverlay(from: "h1c1", to: "h2c1", port: Self.echoPort)
                }
                let server = [FaultLab.probe, "serve", "-6", "--port", "\(Self.echoPort)"]
                let address = try lab.fixture.address("h2c1", v6: true)
                let echo = [FaultLab.probe, "connect-echo", "-6", address, "\(Self.echoPort)", "--count", "5"]
                try await lab.fixture.withServer(server, on: "h2c1", until: "ready") { _ in
                    try await eventually("connections are handed over") {
                        let before = try await lab.handedOver()
                        try await lab.fixture.check(echo, on: "h1c1")
                        return try await lab.handedOver() > before
                    }
                    try await lab.fixture.expectFastPath(connections: 5) {
                        try await lab.fixture.check(echo, on: "h1c1")
                    }
                }
            }
        }
    }
}
