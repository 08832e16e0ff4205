import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration {
    /// Connections within one host, whose programs ask for joined ones. Those of all others are among ``DataIntegrity``.
    @Suite struct SameHost {
        private static let program = ["python3", Fixture.helper("joined.py")]
        private static let port = "7060"
        private static let joined = ["SLIM_SAME_HOST=joined"]

        private func withServer(
            _ fixture: Fixture, on node: String = "h1c2", isDual: Bool = false, environment: [String] = joined,
            _ body: (LabProcess) async throws -> Void
        ) async throws {
            try await fixture.withServer(
                Self.program + ["serve", Self.port] + (isDual ? ["dual"] : []), on: node, environment: environment,
                until: "ready", body)
        }

        private func client(
            _ fixture: Fixture, _ name: String, to server: String = "h1c2", v6: Bool = false, _ more: [String] = []
        ) throws -> [String] {
            Self.program + [name, try fixture.address(server, v6: v6), Self.port] + more
        }

        private func joins(_ fixture: Fixture) async throws -> UInt64 {
            let client = AdminClient(socketPath: fixture.lab.directory.adminSocket("h1"))
            return try await client.status().counts["joined"] ?? 0
        }

        @Test(
            .disabled(if: Fixture.isSecure, "guarded sockets are not joined"),
            arguments: ["h1c2", "h1c1"], ["exchange", "skips", "peek", "slow", "last", "reset"])
        func `joined sockets are those of TCP to an event-driven program`(server: String, name: String) async throws {
            let fixture = try Fixture.shared
            let families = [(isDual: false, v6: false), (true, false), (true, true)]
            for (isDual, v6) in name == "exchange" ? families : [families[0]] {
                try await withServer(fixture, on: server, isDual: isDual) { process in
                    let before = try await joins(fixture)
                    let output = try await fixture.check(
                        try client(fixture, name, to: server, v6: v6), on: "h1c1", environment: Self.joined,
                        atMost: .seconds(60))
                    #expect(output.hasSuffix("ok\n"))
                    #expect(try await joins(fixture) > before)
                    if name == "exchange" {
                        try await process.waitForOutput(String(output.dropLast("ok\n".count)))
                    }
                }
            }
        }

        @Test(arguments: [[], ["client"], ["server"]] + (Fixture.isSecure ? [["client", "server"]] : []))
        func `TCP carries the bytes where not both programs have asked, and of guarded sockets always`(
            who: [String]
        ) async throws {
            let fixture = try Fixture.shared
            try await withServer(fixture, environment: who.contains("server") ? Self.joined : []) { _ in
                let before = try await joins(fixture)
                try await fixture.check(
                    try client(fixture, "tcp"), on: "h1c1", environment: who.contains("client") ? Self.joined : [])
                #expect(try await joins(fixture) == before)
            }
        }

        @Test(arguments: ["h1c2", "h1c1", "h2c1"])
        func `connections meet the host's congestion control between hosts, and within one the simplest`(
            server: String
        ) async throws {
            let fixture = try Fixture.shared
            let setting = try await fixture.check(["cat", "/proc/sys/net/ipv4/tcp_congestion_control"], on: "h1")
            let host = setting.trimmingCharacters(in: .whitespacesAndNewlines)
            let expected = server.hasPrefix("h1") ? "reno" : host
            try await withServer(fixture, on: server, environment: []) { _ in
                let output = try await fixture.check(try client(fixture, "control", to: server), on: "h1c1")
                #expect(output == "\(expected) \(expected)\nok\n")
            }
        }

        @Test(.disabled(if: Fixture.isSecure, "guarded sockets are not joined"))
        func `thousands of joined connections, prepared ones among them`() async throws {
            let fixture = try Fixture.shared
            try await withServer(fixture) { _ in
                let before = try await joins(fixture)
                try await fixture.check(
                    try client(fixture, "many", ["3000"]), on: "h1c1", environment: Self.joined, atMost: .seconds(60))
                #expect(try await joins(fixture) >= before + 2900)
            }
        }

        @Test(.disabled(if: Fixture.isSecure, "guarded sockets are not joined"))
        func `a router that is killed costs a joined connection nothing, nor what is under way in it`() async throws {
            try await FaultLab.with("joined") { lab in
                try await withServer(lab.fixture) { _ in
                    try await lab.fixture.withServer(
                        try client(lab.fixture, "hold"), on: "h1c1", environment: Self.joined, until: "going"
                    ) { holder in
                        let router = try lab.lab.router(of: "h1")
                        try await router.kill()
                        try await lab.lab.startRouter(of: "h1", lab.fixture.binaries)
                        holder.closeInput()
                        try await holder.waitForOutput("whole")
                    }
                }
            }
        }

        @Test(.disabled(if: Fixture.isSecure, "guarded sockets are not joined"))
        func `a program that waits for the first byte since before the ends are joined is told of it`() async throws {
            try await FaultLab.with("joined") { lab in
                try await withServer(lab.fixture) { _ in
                    try await lab.fixture.withServer(
                        try client(lab.fixture, "waiting"), on: "h1c1", environment: Self.joined, until: "going"
                    ) { waiting in
                        let router = try #require(try lab.lab.router(of: "h1").process)
                        kill(router.id, SIGSTOP)
                        defer { kill(router.id, SIGCONT) }
                        waiting.closeInput()
                        try await waiting.waitForOutput("waiting")
                        try await Task.sleep(for: .milliseconds(200))
                        kill(router.id, SIGCONT)
                        try await waiting.waitForOutput("served")
                    }
                }
            }
        }

        @Test(.disabled(if: Fixture.isSecure, "guarded sockets are not joined"))
        func `a policy ends joined connections, and its rates have TCP carry them`() async throws {
            try await PolicyLab.with("joined") { policy in
                let fixture = policy.fixture
                try await withServer(fixture) { _ in
                    try await fixture.withServer(
                        try client(fixture, "hold"), on: "h1c1", environment: Self.joined, until: "going"
                    ) { holder in
                        let denial = PolicyLab.denial("no", from: "h1c1", to: "h1c2")
                        let report = try await policy.reload("\"rules\": [\(denial)]")
                        #expect(report.connectionsCut > 0)
                        holder.closeInput()
                        try await holder.waitForOutput("ended")
                    }
                    let limit = RateLab.bandwidth("limit", "h1c1", #""egress": {"rate": "1gbit"}"#)
                    try await policy.reload("\"bandwidth\": [\(limit)]")
                    try await fixture.check(try client(fixture, "tcp"), on: "h1c1", environment: Self.joined)
                }
            }
        }
    }
}
