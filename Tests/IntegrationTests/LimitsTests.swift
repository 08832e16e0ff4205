import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration.Resilience {
    /// Routers and programs at their limits: what is too much is refused cleanly, and all is well afterwards.
    @Suite struct Limits {
        private static let many = ["/usr/bin/python3", Fixture.helper("many.py")]
        private static let probe = Fixture.project + "/build/bin/slimprobe"

        private func withOwnLab(
            _ purpose: String, limits: [String: Int] = [:], _ body: @Sendable (HostileLab) async throws -> Void
        ) async throws {
            try await Fixture.withLab("limits-" + purpose) { fixture in
                if !limits.isEmpty {
                    try await fixture.lab.router(of: "h1").stop()
                    let path = fixture.lab.directory.routerConfiguration("h1")
                    let data = try Data(contentsOf: URL(filePath: path))
                    var content = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
                    content["limits"] = limits
                    try JSONSerialization.data(withJSONObject: content).write(to: URL(filePath: path))
                    try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                    try await eventually("the hosts are connected") {
                        try await HostileLab(fixture: fixture).client().hosts().allSatisfy(\.connected)
                    }
                }
                try await body(HostileLab(fixture: fixture))
            }
        }

        /// Sets the soft limit of a router's descriptors.
        ///
        /// - Returns: the one it had.
        private func limitDescriptors(of router: RunningProcess, to count: Int, _ fixture: Fixture) async throws -> Int
        {
            let prlimit = ["prlimit", "--pid", "\(router.id)"]
            let report = try await fixture.check(prlimit + ["--nofile", "--output", "SOFT", "--noheadings"], on: nil)
            try await fixture.check(prlimit + ["--nofile=\(count):"], on: nil)
            return try #require(Int(report.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        /// A connection made before, on which bytes go to and fro all the time.
        private func withStream(_ lab: HostileLab, _ body: () async throws -> Void) async throws {
            let fixture = lab.fixture
            let address = try fixture.address("h2c2")
            let server = [Self.probe, "serve", "-4", "--port", "7300"]
            try await fixture.withServer(server, on: "h2c2", until: "ready") { _ in
                let stream = try fixture.lab.start(
                    fixture.program(["python3", HostileLab.helpers + "/echo.py", address, "7300"], on: "h1c2"))
                try await stream.waitForOutput("going")
                try await body()
                let exchanged = stream.outputSoFar.utf8.count
                try await eventually("the stream goes on: \(stream.errorOutputSoFar)") {
                    stream.outputSoFar.utf8.count > exchanged + 10
                }
                await stream.end()
            }
        }

        @Test(arguments: ["h1", "h2"])
        func `a router whose descriptor table is full leaves new connections to the overlay, and recovers`(host: String)
            async throws
        {
            try await withOwnLab("table-\(host)") { lab in
                let fixture = lab.fixture
                let address = try fixture.address("h2c1")
                let connect = [Self.probe, "connect-echo", address, "7310", "--count", "20"]
                try await withStream(lab) {
                    let server = [Self.probe, "serve", "-4", "--port", "7310"]
                    try await fixture.withServer(server, on: "h2c1", until: "ready") { _ in
                        try await fixture.check(connect, on: "h1c1")
                        let router = try #require(try fixture.lab.router(of: host).process)
                        let limit = try await limitDescriptors(of: router, to: router.descriptorCount + 40, fixture)
                        let attack = ["python3", HostileLab.helpers + "/attack.py", "silent", "200"]
                        let silent = try fixture.lab.start(fixture.program(attack, on: "\(host)c2", overlay: true))
                        try await silent.waitForOutput("holding", atMost: .seconds(30))
                        // At the server's host connections wait, as in a full backlog, until there is room.
                        let crowd = try fixture.lab.start(fixture.program(connect, on: "h1c1"))
                        if host == "h1" {
                            let outcome = try await crowd.wait()
                            #expect(outcome.status == 0, "\(outcome.errorOutput)")
                        } else {
                            try await Task.sleep(for: .seconds(1))
                        }
                        let lines = try lab.logged("raise the limit of slimrouter", by: host)
                        #expect((1...30).contains(lines), "\(lines) lines: at most one a second")
                        try await lab.expectRest(of: router.id)
                        #expect(try fixture.lab.router(of: host).process?.id == router.id)
                        _ = try await limitDescriptors(of: router, to: limit, fixture)
                        await silent.end()
                        let outcome = try await crowd.wait()
                        #expect(outcome.status == 0, "\(outcome.errorOutput)")
                        let before = try await lab.client().status().counts["connectsHandedOver"] ?? 0
                        try await fixture.check(connect, on: "h1c1")
                        let after = try await lab.client().status().counts["connectsHandedOver"] ?? 0
                        #expect(after >= before + 20)
                    }
                }
            }
        }

        @Test func `beyond its limits a router leaves connections and listeners to the overlay, and recovers`()
            async throws
        {
            let limits = ["connections": 40, "listenersPerContainer": 30, "socketsPerContainer": 20]
            try await withOwnLab("own", limits: limits) { lab in
                let fixture = lab.fixture
                let client = lab.client()
                let address = try fixture.address("h2c1")
                try await withStream(lab) {
                    try await fixture.withServer(Self.many + ["serve", "7320"], on: "h2c1", until: "ready") { _ in
                        let crowd = Self.many + ["keep", address, "7320", "100"]
                        let keeper = try fixture.lab.start(fixture.program(crowd, on: "h1c1"))
                        try await keeper.waitForOutput("holding", atMost: .seconds(30))
                        #expect(try await client.connections().count <= 40)
                        let byOverlay = try await client.status().counts["connectsByOverlay"] ?? 0
                        #expect(byOverlay >= 60)
                        await keeper.end()
                        try await eventually("the connections are gone") {
                            try await client.connections().count == 1
                        }
                        try await fixture.expectFastPath(connections: 30) {
                            try await fixture.check(Self.many + ["short", address, "7320", "30"], on: "h1c1")
                        }
                    }
                    let listeners = ["/usr/bin/python3", Fixture.helper("listeners.py")]
                    try await fixture.withServer(listeners + ["hundred", "7400"], on: "h1c1", until: "ready") { _ in
                        let count = try await client.listeners().count
                        #expect(count == 30)
                        let ports = (7400..<7500).map(String.init)
                        let answer = try await fixture.check(
                            listeners + ["ask", try fixture.address("h1c1")] + ports, on: "h2c1")
                        #expect(answer == ports.joined(separator: "\n") + "\n")
                    }
                    try await eventually("the listeners are gone") { try await client.listeners().isEmpty }
                    try await fixture.withServer(listeners + ["hundred", "7400"], on: "h1c1", until: "ready") { _ in
                        let count = try await client.listeners().count
                        #expect(count == 30)
                    }
                }
            }
        }

        @Test func `15,000 connections at once between two hosts, and a few too many`() async throws {
            try await withOwnLab("crowd", limits: ["connections": 15_000]) { lab in
                let fixture = lab.fixture
                let pairs = [("h1c1", "h2c1"), ("h1c2", "h2c2")]
                let router = try #require(try fixture.lab.router(of: "h1").process)
                var processes: [LabProcess] = []
                do {
                    for (_, server) in pairs {
                        let process = try fixture.lab.start(fixture.program(Self.many + ["serve", "7330"], on: server))
                        processes.append(process)
                        try await process.waitForOutput("ready")
                    }
                    for (client, server) in pairs {
                        let crowd = Self.many + ["keep", try fixture.address(server), "7330", "7500"]
                        let process = try fixture.lab.start(fixture.program(crowd, on: client))
                        processes.append(process)
                    }
                    for process in processes.suffix(2) {
                        try await process.waitForOutput("holding", atMost: .seconds(90))
                    }
                    for host in ["h1", "h2"] {
                        let name = "lab:\(fixture.lab.record.name)/\(host)"
                        let listed = try await fixture.slimctl(["connections", "--json", "--router", name])
                        #expect(listed.status == 0, "\(listed.errorOutput)")
                        let entries = try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [Any]
                        #expect(entries?.count == 15_000, "on \(host)")
                    }
                    // What is too much goes by the overlay, and works.
                    let report = try await fixture.path {
                        let more = Self.many + ["hold", try fixture.address("h2c1"), "7330", "100"]
                        try await fixture.check(more, on: "h1c1")
                    }
                    #expect(report.byOverlay == 100 && report.handedOver == 0)
                } catch {
                    for process in processes.reversed() { await process.end() }
                    throw error
                }
                for process in processes.reversed() { await process.end() }
                for host in ["h1", "h2"] {
                    try await eventually("the connections of \(host) are gone") {
                        try await lab.client(host).connections().isEmpty
                    }
                }
                #expect(try fixture.lab.router(of: "h1").process?.id == router.id, "the router has ended")
            }
        }

        @Test func `10,000 set-ups in a row leave nothing behind, in routers, client and server`() async throws {
            try await withOwnLab("row") { lab in
                let fixture = lab.fixture
                try await fixture.withServer(Self.many + ["serve", "7340"], on: "h2c1", until: "ready") { server in
                    let routers = try ["h1", "h2"].map { try #require(try fixture.lab.router(of: $0).process) }
                    let processes = try routers + [#require(RunningProcess(id: server.id))]
                    let address = try fixture.address("h2c1")
                    let client = try fixture.lab.start(
                        fixture.program(Self.many + ["repeat", address, "7340", "10000"], on: "h1c1"))
                    try await client.waitForOutput("warm", atMost: .seconds(60))
                    let before = processes.map { ($0.descriptorCount, $0.residentBytes ?? 0) }
                    client.send(signal: SIGUSR1)
                    try await client.waitForOutput("grown", atMost: .seconds(120))
                    try await eventually("the connections are gone") {
                        let left = (try await lab.client().connections(), try await lab.client("h2").connections())
                        return left.0.isEmpty && left.1.isEmpty
                    }
                    let words = client.outputSoFar.split(whereSeparator: \.isWhitespace).suffix(2).compactMap {
                        Int($0)
                    }
                    #expect(words.first == 0, "descriptors in the client: \(words)")
                    #expect(words.last ?? .max < 2 << 20, "bytes in the client: \(words)")
                    for (process, before) in zip(processes, before) {
                        let name = process.arguments.joined(separator: " ")
                        // Sockets that a router has ready.
                        try await eventually(
                            "descriptors of \(name): \(process.descriptorCount), \(before.0) before"
                        ) {
                            process.descriptorCount <= before.0 + 16
                        }
                        let growth = (process.residentBytes ?? .max) - before.1
                        #expect(growth < 4 << 20, "\(name) grew by \(growth >> 10) KB")
                    }
                    client.send(signal: SIGUSR1)
                    _ = try await client.wait()
                }
            }
        }
    }
}
