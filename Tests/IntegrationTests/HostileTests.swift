import Foundation
import SlimAdmin
import SlimLab
import Testing

/// A lab of its own, for what may hurt the router. One after the other.
struct HostileLab {
    static let helpers = Fixture.project + "/Tests/IntegrationTests/Helpers"
    private static let echoPort = "7300"
    /// Sockets that the router has ready for the next connections: up to eight of each family.
    private static let spares = 16

    let fixture: Fixture

    func attack(_ name: String, _ argument: String = "", on node: String? = "h1c1") async throws {
        let outcome = try await fixture.run(
            ["python3", Self.helpers + "/attack.py", name, argument], on: node, overlay: true, atMost: .seconds(60))
        #expect(outcome.output.hasSuffix("done\n"), "\(name) \(argument): \(outcome.errorOutput)")
    }

    /// Runs something hostile; nobody else notices, and the router is afterwards as it was before.
    func unnoticed(by host: String = "h1", _ body: () async throws -> Void) async throws {
        let router = try #require(try fixture.lab.router(of: host).process)
        let before = (descriptors: router.descriptorCount, memory: router.residentBytes ?? 0)
        try await withBystanders { try await body() }
        #expect(try fixture.lab.router(of: host).process?.id == router.id, "the router has ended")
        try await eventually("descriptors: \(router.descriptorCount) after \(before.descriptors) before") {
            router.descriptorCount <= before.descriptors + Self.spares
        }
        let growth = (router.residentBytes ?? 0) - before.memory
        #expect(growth < 24 << 20, "the router grew by \(growth >> 10) KB")
    }

    /// Has a connection of other containers carry bytes, and new ones made, while something happens.
    private func withBystanders(_ body: () async throws -> Void) async throws {
        let probe = Fixture.project + "/build/bin/slimprobe"
        let server = [probe, "serve", "-4", "--port", Self.echoPort]
        let address = try fixture.address("h2c2")
        try await fixture.withServer(server, on: "h2c2", until: "ready") { _ in
            let stream = try fixture.lab.start(
                fixture.program(["python3", Self.helpers + "/echo.py", address, Self.echoPort], on: "h1c2"))
            try await stream.waitForOutput("going")
            try await body()
            #expect(stream.isRunning, "the stream has ended: \(stream.errorOutputSoFar)")
            try await fixture.check([probe, "connect-echo", address, Self.echoPort, "--count", "20"], on: "h1c2")
            let exchanged = stream.outputSoFar.utf8.count
            try await eventually("the stream goes on") { stream.outputSoFar.utf8.count > exchanged }
            await stream.end()
        }
    }

    /// Waits until a process uses less than half a processor.
    func expectRest(of id: Int32) async throws {
        try await eventually("the process rests") {
            let before = try processorTicks(of: id)
            try await Task.sleep(for: .milliseconds(500))
            // Of 50 that there are.
            return try processorTicks(of: id) - before < 25
        }
    }

    private func processorTicks(of id: Int32) throws -> Int {
        let fields = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8).split(separator: " ")
        return (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0)
    }

    func client(_ host: String = "h1") -> AdminClient {
        AdminClient(socketPath: fixture.lab.directory.adminSocket(host))
    }

    /// Lines of the router's log that hold a text.
    func logged(_ text: String, by host: String = "h1") throws -> Int {
        try String(contentsOfFile: fixture.lab.directory.routerLog(host), encoding: .utf8).split(separator: "\n")
            .count { $0.contains(text) }
    }
}

extension Integration.Resilience {
    @Suite struct Hostile {
        private func withHostileLab(_ purpose: String, _ body: @Sendable (HostileLab) async throws -> Void) async throws
        {
            try await Fixture.withLab("hostile-" + purpose) { try await body(HostileLab(fixture: $0)) }
        }

        @Test func `messages that are none of ours harm only who sends them`() async throws {
            try await withHostileLab("messages") { lab in
                try await lab.unnoticed {
                    for seed in 1...3 { try await lab.attack("garbage", "\(seed)") }
                    try await lab.attack("kinds")
                }
                let status = try await lab.client().status()
                #expect((status.counts["requestsRejected"] ?? 0) > 100)
                let lines = try lab.logged("its program is left alone")
                #expect((1...60).contains(lines), "\(lines) lines: at most one a second")
            }
        }

        @Test func `a container cannot speak for another`() async throws {
            try await withHostileLab("identity") { lab in
                let directory = lab.fixture.lab.directory
                let paths = ["h1c1", "h1c2"].map { directory.networkNamespace(of: $0) }.joined(separator: ",")
                let other = try lab.fixture.address("h1c2")
                let destination = try lab.fixture.address("h2c1")
                try await lab.unnoticed {
                    try await lab.attack("foreign", paths, on: nil)
                    try await lab.attack("borrowed", "\(other),\(destination),80")
                }
            }
        }

        @Test func `thousands that say nothing cost nobody else anything`() async throws {
            try await withHostileLab("silent") { lab in
                try await lab.unnoticed {
                    let silent = try lab.fixture.lab.start(
                        lab.fixture.program(
                            ["python3", HostileLab.helpers + "/attack.py", "silent", "5000"], on: "h1c1", overlay: true)
                    )
                    try await silent.waitForOutput("holding", atMost: .seconds(30))
                    let container = try #require(try await lab.client().containers().first { $0.name == "h1c1" })
                    #expect(container.sockets <= 1024)
                    await silent.end()
                }
            }
        }

        @Test func `descriptors that take for ever to close do not hold up the router`() async throws {
            try await withHostileLab("linger") { lab in
                let sink = ["python3", HostileLab.helpers + "/attack.py", "sink", "7400"]
                let address = try lab.fixture.address("h2c1")
                try await lab.unnoticed {
                    try await lab.fixture.withServer(sink, on: "h2c1", overlay: true, until: "ready") { server in
                        for operation in ["2", "3", "4", "5", "6", "99", "nowhere", "unread", "many"] {
                            try await lab.attack("linger", "\(operation),\(address),7400,3")
                        }
                        _ = try await lab.client().status()
                        // The closing ends with the server, whose end of the connections is reset then.
                        server.send(signal: 9)
                    }
                }
            }
        }

        @Test func `a listener that is shut down behind the router's back does not keep it busy`() async throws {
            try await withHostileLab("revoked") { lab in
                try await lab.unnoticed {
                    let program = try lab.fixture.lab.start(
                        lab.fixture.program(
                            ["python3", HostileLab.helpers + "/attack.py", "revoked", "7500"], on: "h1c1", overlay: true
                        ))
                    try await program.waitForOutput("ready")
                    let router = try #require(try lab.fixture.lab.router(of: "h1").process)
                    try await lab.expectRest(of: router.id)
                    await program.end()
                }
            }
        }

        @Test func `10,000 requests that end in the middle are hung up on`() async throws {
            try await withHostileLab("halves") { lab in
                try await lab.unnoticed { try await lab.attack("halves", "10000") }
                #expect((try await lab.client().status().counts["requestsRejected"] ?? 0) >= 10_000)
            }
        }

        @Test func `who asks and goes away leaves nothing behind`() async throws {
            try await withHostileLab("gone") { lab in
                try await lab.unnoticed { try await lab.attack("gone", "3000") }
                try await eventually("its listeners are gone") { try await lab.client().listeners().isEmpty }
            }
        }

        @Test func `a flood of requests that nobody reads the answers of holds up nobody else`() async throws {
            try await withHostileLab("flood") { lab in
                try await lab.unnoticed { try await lab.attack("flood", "3") }
                let router = try #require(try lab.fixture.lab.router(of: "h1").process)
                try await lab.expectRest(of: router.id)
            }
        }

        @Test func `of a flood of listeners no more than the limit are taken`() async throws {
            try await withHostileLab("listeners") { lab in
                try await lab.unnoticed { try await lab.attack("listeners", "6000") }
                try await eventually("its listeners are gone") { try await lab.client().listeners().isEmpty }
                let lines = try lab.logged("limits.listenersPerContainer")
                #expect((1...30).contains(lines), "\(lines) lines: at most one a second")
            }
        }

        @Test(arguments: ["garbage", "silent", "slow", "control", "crowd"])
        func `what a stranger sends to the router's ports is turned away`(kind: String) async throws {
            try await withHostileLab(kind) { lab in
                let address = try lab.fixture.address("h1")
                let ports = ["control", "crowd"].contains(kind) ? "4799-4799" : "4800-4803"
                try await lab.unnoticed {
                    let outcome = try await lab.fixture.run(
                        ["python3", HostileLab.helpers + "/wire.py", kind, address, ports], on: "h2",
                        atMost: .seconds(60))
                    #expect(outcome.output.hasSuffix("done\n"), "\(outcome.output)\(outcome.errorOutput)")
                }
                let all = try lab.logged("")
                #expect(all <= 120, "\(all) lines: at most one a second of each kind")
                let lines = try lab.logged("a connection on the data ports was reset")
                #expect(lines <= 60, "\(lines) lines: at most one a second")
                #expect(try await lab.client().status().counts["accepted"] == 0)
            }
        }

        @Test func `preambles that were seen on the wire open nothing`() async throws {
            try await withHostileLab("replay") { lab in
                let fixture = lab.fixture
                let probe = Fixture.project + "/build/bin/slimprobe"
                let thief = try fixture.lab.start(
                    fixture.program(
                        ["python3", HostileLab.helpers + "/wire.py", "replay", try fixture.address("h1"), "4800-4803"],
                        on: "h2"))
                try await thief.waitForOutput("ready")
                let server = [probe, "serve", "-4", "--port", "7600"]
                try await fixture.withServer(server, on: "h1c1", until: "ready") { _ in
                    try await fixture.check(
                        [probe, "connect-echo", try fixture.address("h1c1"), "7600", "--count", "10"], on: "h2c1")
                    let outcome = try await thief.wait()
                    #expect(outcome.output.contains("done 96"), "\(outcome.output)\(outcome.errorOutput)")
                    let counts = try await lab.client().status().counts
                    #expect(counts["accepted"] == 10)
                    #expect(counts["preamblesRejected"] == 96)
                }
            }
        }
    }
}
