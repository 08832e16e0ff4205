import Foundation
import SlimLab
import Testing

extension Integration {
    /// `bandwidth` of a policy, on real streams. A machine with other work may be slower than a limit, never faster.
    @Suite struct Rates {
        private static let hundred = RateLab.bandwidth("hundred", "h1c1", #""egress": {"rate": "100mbit"}"#)
        /// Mbit/s that 100 may come to, with what is let through at once.
        private static let atMost = 108.0
        private static let atLeast = 50.0

        @Test(arguments: ["h2c1", "h1c2"], [1, 8])
        func `a limit holds for connections and packets together, across hosts and within one`(
            server: String, connections: Int
        ) async throws {
            try await RateLab.with("rate") { rates in
                try await rates.withServers(on: server, ports: [5301]) {
                    try await rates.withServers(on: server, ports: [5302], overlay: true) {
                        try await rates.lab.reload("\"bandwidth\": [\(Self.hundred)]")
                        let results = try await rates.measure(
                            RateLab.Stream(client: "h1c1", server: server, port: 5301, connections: connections),
                            RateLab.Stream(
                                client: "h1c1", server: server, port: 5302, overlay: true, connections: connections))
                        #expect(results.reduce(0, +) < Self.atMost, "\(results)")
                        #expect(results.reduce(0, +) > Self.atLeast, "\(results)")
                        guard server == "h2c1" else { return }
                        let other = try await rates.measure(
                            RateLab.Stream(client: "h1c2", server: server, port: 5301, seconds: 1))
                        #expect(other[0] > 2 * Self.atMost, "nobody else is limited")
                    }
                }
            }
        }
    }
}
