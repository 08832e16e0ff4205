import Foundation
import SlimAdmin
import SlimLab
import Testing

/// A lab whose programs connect to the same destination again and again.
private struct PreparedLab {
    private static let program = Fixture.project + "/Tests/IntegrationTests/Helpers/prepared.py"
    private static let port = "7600"

    let policy: PolicyLab
    var fixture: Fixture { policy.fixture }

    static func with(_ body: @Sendable (PreparedLab) async throws -> Void) async throws {
        try await PolicyLab.with("prep") { try await body(PreparedLab(policy: $0)) }
    }

    /// Has a server used that tells each client whom it saw.
    func withServer(on node: String, _ body: (LabProcess) async throws -> Void) async throws {
        try await fixture.withServer(
            ["python3", Fixture.helper("many.py"), "serve", Self.port], on: node, until: "ready", body)
    }

    func client(_ name: String, to server: String, _ more: [String] = []) throws -> [String] {
        ["python3", Self.program, name, try fixture.address(server), Self.port] + more
    }

    /// Runs a program in `h1c1` that connects to the server all the time.
    func withLoop(to server: String, _ body: (Loop) async throws -> Void) async throws {
        try await fixture.withServer(try client("loop", to: server), on: "h1c1", until: "going") {
            try await body(Loop(process: $0))
        }
    }

    /// Runs a container's attack, without the library, to its end.
    func attack(_ name: String, on server: String, _ more: [String] = []) async throws {
        let outcome = try await fixture.run(
            try client(name, to: server, more), on: "h1c1", overlay: true, atMost: .seconds(60))
        #expect(outcome.output.hasSuffix("done\n"), "\(name): \(outcome.errorOutput)")
    }

    func counts(_ host: String = "h1") async throws -> [String: UInt64] {
        try await policy.client(host).status().counts
    }

    /// Waits until nothing is prepared, nothing is held, and no entry is left.
    func expectNothingLeft(descriptors: Int? = nil) async throws {
        try await eventually("nothing is left") {
            let counts = try await counts()
            return counts["prepared"] == 0 && counts["connections"] == 0
        }
        guard let descriptors, let router = try fixture.lab.router(of: "h1").process else { return }
        // Sockets that the router has ready for the next connections: up to eight of each family.
        try await eventually("descriptors: \(router.descriptorCount)") { router.descriptorCount <= descriptors + 16 }
    }

    /// The loop, asked what becomes of its connections.
    final class Loop {
        private let process: LabProcess
        private var rounds = 0

        init(process: LabProcess) { self.process = process }

        /// - Returns: what became of the next twenty connections (`ok=20`), and of those before.
        func ask() async throws -> (next: String, before: String) {
            rounds += 1
            process.send(signal: SIGUSR1)
            try await process.waitForOutput("round \(rounds): ", atMost: .seconds(60))
            try await eventually("the line is whole") { process.outputSoFar.hasSuffix(".\n") }
            let line = process.outputSoFar.split(separator: "\n").last ?? ""
            let parts = line.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            return (String(parts[0].dropFirst("round \(rounds): ".count)), parts[1] + parts[2])
        }
    }
}

extension Integration.Resilience {
    /// Connections that were prepared before anybody wanted them.
    @Suite struct Prepared {
        @Test(arguments: ["h2c1", "h1c2"])
        func `who connects again and again waits for nobody, and nothing is left afterwards`(server: String)
            async throws
        {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: server) { _ in
                    let router = try #require(try lab.fixture.lab.router(of: "h1").process)
                    let once = [
                        "python3", "-c", "import socket,sys; socket.create_connection((sys.argv[1], 7600)).recv(9)",
                    ]
                    try await lab.fixture.check(once + [try lab.fixture.address(server)], on: "h1c1")
                    #expect(try await lab.counts()["prepared"] == 0, "for a program that connects once")
                    let descriptors = router.descriptorCount
                    let many = ["python3", Fixture.helper("many.py"), "short", try lab.fixture.address(server)]
                    let before = try await lab.counts()
                    #expect(try await lab.fixture.check(many + ["7600", "3000"], on: "h1c1") == "ok 3000\n")
                    let after = try await lab.counts()
                    func grown(_ name: String) -> UInt64 { (after[name] ?? 0) - (before[name] ?? 0) }
                    #expect(grown("connectsHandedOver") == 3000 && grown("connectsByOverlay") == 0)
                    #expect(grown("connectsPrepared") > 1500)
                    #expect(try await lab.counts(String(server.prefix(2)))["preamblesRejected"] == 0)
                    try await lab.expectNothingLeft(descriptors: descriptors)
                }
            }
        }

        @Test(arguments: ["h2c1", "h1c2"])
        func `sockets with options are prepared too, and have them when they are connected`(server: String)
            async throws
        {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: server) { _ in
                    let before = try await lab.counts()
                    let outcome = try await lab.fixture.run(
                        try lab.client("options", to: server), on: "h1c1", atMost: .seconds(120))
                    #expect(outcome.output == "done\n", "\(outcome.errorOutput)")
                    let after = try await lab.counts()
                    func grown(_ name: String) -> UInt64 { (after[name] ?? 0) - (before[name] ?? 0) }
                    #expect(grown("connectsHandedOver") == 200)
                    #expect(grown("connectsPrepared") > 100)
                }
            }
        }

        @Test(arguments: ["h2c1", "h1c2"])
        func `threads and forked children never get each other's connections`(server: String) async throws {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: server) { _ in
                    let outcome = try await lab.fixture.run(
                        try lab.client("race", to: server), on: "h1c1", atMost: .seconds(120))
                    #expect(outcome.output == "done\n", "\(outcome.errorOutput)")
                    let prepared = try await lab.counts()["connectsPrepared"] ?? 0
                    #expect(prepared > 500)
                }
            }
        }

        @Test(arguments: [("h2c1", "h1"), ("h1c2", "h1"), ("h2c1", "h2")])
        func `what is prepared does not outlive the policy that allowed it`(server: String, host: String) async throws {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: server) { _ in
                    try await lab.withLoop(to: server) { loop in
                        for _ in 0..<3 {
                            #expect(try await loop.ask().next == "ok=20")
                            let denial = PolicyLab.denial("no", from: "h1c1", to: server, ports: "7600")
                            try await lab.policy.reload("\"rules\": [\(denial)]", on: [host])
                            let first = try await loop.ask().next
                            // The other host's router says no itself, and then tells this one.
                            if host == "h1" { #expect(first == "refused=20") } else { #expect(!first.contains("ok")) }
                            try await eventually("refused") { try await loop.ask().next == "refused=20" }
                            try await lab.policy.reload("\"rules\": []", on: [host])
                            try await eventually("allowed") { try await loop.ask().next == "ok=20" }
                        }
                    }
                }
            }
        }

        @Test(arguments: ["h2c1", "h1c2"])
        func `what is prepared does not outlive the labels that allowed it`(server: String) async throws {
            try await PreparedLab.with { lab in
                let rule = """
                    {"name": "shut", "action": "deny", "mode": "reject", "from": {"labels": {"state": "shut"}}, "to": "any"}
                    """
                try await lab.policy.reload("\"rules\": [\(rule)]")
                let label = { (change: String) in
                    let router = lab.fixture.lab.directory.adminSocket("h1")
                    let outcome = try await lab.fixture.slimctl(["label", "h1c1", change, "--router", router])
                    #expect(outcome.status == 0, "\(outcome.errorOutput)")
                }
                try await lab.withServer(on: server) { _ in
                    try await lab.withLoop(to: server) { loop in
                        #expect(try await loop.ask().next == "ok=20")
                        try await label("state=shut")
                        #expect(try await loop.ask().next == "refused=20")
                        try await label("state-")
                        try await eventually("allowed") { try await loop.ask().next == "ok=20" }
                    }
                }
            }
        }

        @Test(arguments: ["h2c1", "h1c2"])
        func `a server that has ended refuses, and serves again when it is back`(server: String) async throws {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: server) { process in
                    try await lab.withLoop(to: server) { loop in
                        await process.end()
                        #expect(try await !loop.ask().next.contains("ok"))
                        try await eventually("refused") { try await loop.ask().next == "refused=20" }
                        try await lab.withServer(on: server) { _ in
                            try await eventually("served") { try await loop.ask().next == "ok=20" }
                        }
                    }
                }
            }
        }

        @Test(arguments: ["h1", "h2"])
        func `no connection is lost when a router is killed`(host: String) async throws {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: "h2c1") { _ in
                    try await lab.withLoop(to: "h2c1") { loop in
                        let router = try lab.fixture.lab.router(of: host)
                        for _ in 0..<4 {
                            try await router.kill()
                            try await lab.fixture.lab.startRouter(of: host, lab.fixture.binaries)
                            let (next, before) = try await loop.ask()
                            #expect(next == "ok=20")
                            #expect(before.hasPrefix("0 bad"), "\(before)")
                        }
                    }
                }
                try await lab.expectNothingLeft()
            }
        }

        @Test(arguments: [("h2c1", "192.0.2.2"), ("h1c2", "192.0.2.1")])
        func `a container gains nothing by keeping, repeating or altering preambles`(server: String, host: String)
            async throws
        {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: server) { _ in
                    try await lab.attack("replay", on: server, [host])
                    try await lab.attack("expired", on: server, [host])
                    let rejected = try await lab.counts(String(server.prefix(2)))["preamblesRejected"] ?? 0
                    // A guarded socket cannot be connected afresh: what begins so does not even arrive.
                    #expect(rejected >= (Fixture.isSecure ? 2 : 3))
                    let attacker = try lab.client("denied", to: server, [host])
                    try await lab.fixture.withServer(attacker, on: "h1c1", overlay: true, until: "ready") { process in
                        try await lab.policy.reload(
                            "\"rules\": [\(PolicyLab.denial("no", from: "h1c1", to: server, ports: "7600"))]")
                        process.send(signal: SIGUSR1)
                        let outcome = try await process.wait(atMost: .seconds(30))
                        #expect(outcome.output.hasSuffix("done\n"), "\(outcome.errorOutput)")
                    }
                }
            }
        }

        @Test func `a container that takes thousands and uses none harms nobody else`() async throws {
            try await PreparedLab.with { lab in
                try await lab.withServer(on: "h2c1") { _ in
                    try await lab.policy.faults.base.unnoticed {
                        let hoarder = try lab.client("hoard", to: "h2c1")
                        try await lab.fixture.withServer(hoarder, on: "h1c1", overlay: true, until: "holding") { _ in
                            let prepared = try await lab.counts()["prepared"] ?? 0
                            #expect(prepared <= 256)
                        }
                        try await lab.attack("stuff", on: "h2c1")
                    }
                }
                try await lab.expectNothingLeft()
            }
        }
    }
}
