import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Iperf {
        @Test(arguments: [false, true])
        func `a connection across hosts does not touch the VXLAN device`(v6: Bool) async throws {
            let fixture = try Fixture.shared
            let bytes = try await transfer(fixture, from: "h1c1", to: "h2c1", v6: v6)
            #expect(bytes.received > 10_000_000)
            #expect(Double(bytes.vxlan) < bytes.received / 20)
        }

        @Test func `the other direction does not touch it either`() async throws {
            let fixture = try Fixture.shared
            let bytes = try await transfer(fixture, from: "h1c1", to: "h2c1", options: ["-R", "-P", "4"])
            #expect(bytes.received > 10_000_000)
            #expect(Double(bytes.vxlan) < bytes.received / 20)
        }

        @Test func `without the library everything crosses the VXLAN device`() async throws {
            let fixture = try Fixture.shared
            let bytes = try await transfer(fixture, from: "h1c1", to: "h2c1", overlay: true)
            #expect(bytes.received > 1_000_000)
            #expect(Double(bytes.vxlan) > bytes.received * 0.9)
        }

        @Test(arguments: ["h1c2", "h1c1"])
        func `containers of one host, and one container with itself`(server: String) async throws {
            let fixture = try Fixture.shared
            let bytes = try await transfer(fixture, from: "h1c1", to: server)
            #expect(bytes.received > 10_000_000)
            #expect(bytes.vxlan < 100_000)
        }

        private func transfer(
            _ fixture: Fixture, from client: String, to server: String, v6: Bool = false, overlay: Bool = false,
            options: [String] = []
        ) async throws -> (received: Double, vxlan: UInt64) {
            let family = v6 ? "-6" : "-4"
            let command = ["iperf3", family, "-s", "-1", "--forceflush"]
            return try await fixture.withServer(command, on: server, overlay: overlay, until: "Server listening") { _ in
                let before = try fixture.vxlanBytes()
                let arguments =
                    ["iperf3", family, "-c", try fixture.address(server, v6: v6), "-t", "1", "-J"] + options
                let text = try await fixture.check(arguments, on: client, overlay: overlay)
                let report = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                let end = report?["end"] as? [String: Any]
                let sum = try #require(end?["sum_received"] as? [String: Any])
                let received = try #require(sum["bytes"] as? Double)
                return (received, try fixture.vxlanBytes() - before)
            }
        }
    }
}
