import SlimLab
import Testing

extension Integration {
    /// What TCP promises to programs, byte by byte. The programs check what they get, and say so.
    @Suite struct DataIntegrity {
        private static let command = ["/usr/bin/python3", Fixture.helper("data.py")]

        private func run(
            _ name: String, _ placement: Placement, _ arguments: [String] = [], bytes: Int = 0,
            expecting report: String? = nil
        ) async throws {
            let fixture = try Fixture.shared
            try await fixture.withServer(Self.command + ["serve", "7050"], on: placement.server, until: "ready") {
                server in
                try await fixture.expectFastPath(bytes: bytes) {
                    let client = Self.command + [name, try fixture.address(placement.server), "7050"] + arguments
                    #expect(
                        try await fixture.check(client, on: Placement.client, atMost: .seconds(60)) == "ok\n")
                }
                if let report { try await server.waitForOutput(report) }
            }
        }

        /// In MB: a thousand where two hosts take part.
        @Test(arguments: zip(Placement.allCases, [1024, 256, 256]))
        func `a stream arrives whole in each direction, and ends one direction at a time`(
            placement: Placement, megabytes: Int
        ) async throws {
            try await run(
                "sums", placement, ["\(megabytes)"], bytes: 2 * megabytes << 20, expecting: "source same")
        }

        @Test(arguments: Placement.allCases)
        func `a reset is seen as a reset, in each direction`(placement: Placement) async throws {
            try await run("resets", placement, expecting: "expect-reset reset")
        }

        @Test(arguments: ["urgent", "rdhup", "peek"], Placement.allCases)
        func `out-of-band data, EPOLLRDHUP and MSG_PEEK`(name: String, placement: Placement) async throws {
            try await run(name, placement)
        }

        @Test(arguments: ["sendfile", "splice", "zerocopy"], Placement.allCases)
        func `data that never leaves the kernel`(name: String, placement: Placement) async throws {
            try await run(name, placement, bytes: 32 << 20)
        }
    }
}
