import SlimLab
import Testing

extension Integration {
    @Suite struct Node {
        private static let command = ["node", Fixture.helper("web.js")]

        @Test(arguments: ["http", "cluster"], Placement.allCases)
        func `a web server answers with and without keep-alive`(kind: String, placement: Placement) async throws {
            let fixture = try Fixture.shared
            let port = kind == "http" ? "6500" : "6501"
            try await fixture.withServer(Self.command + [kind, port], on: placement.server, until: "ready") { _ in
                try await fixture.expectFastPath(connections: 101) {
                    let client = Self.command + ["ask", try fixture.address(placement.server), port, "200"]
                    let answer = try await fixture.check(client, on: Placement.client)
                    #expect(answer == "ok \(try fixture.address(Placement.client))\n")
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `net echoes what comes in and what comes after the end`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            try await fixture.withServer(Self.command + ["net", "6502"], on: placement.server, until: "ready") { _ in
                try await fixture.expectFastPath(bytes: 100_000_000) {
                    let client = Self.command + ["echo", try fixture.address(placement.server), "6502", "64"]
                    #expect(try await fixture.check(client, on: Placement.client) == "ok\n")
                }
            }
        }
    }
}
