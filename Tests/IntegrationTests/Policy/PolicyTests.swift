import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration.Resilience {
    /// One policy for connections and packets, on real programs.
    @Suite struct Policy {
        @Test func `a server is allowed, denied and dropped by name of rule, with the library and without`()
            async throws
        {
            try await PolicyLab.with("curl") { lab in
                let folder = try TemporaryFolder()
                _ = try folder.write("index.html", "Slim\n")
                let server = ["nginx", "-c", try Integration.Servers.nginxConfiguration(folder, port: 8000)]
                try await lab.fixture.withSilentServer(server, on: "h2c1", port: 8000) { _ in
                    for overlay in [false, true] {
                        #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000, overlay: overlay) == 0)
                        try await lab.reload(
                            "\"rules\": [\(PolicyLab.denial("no-web", from: "h1c1", to: "h2c1", ports: "8000"))]")
                        #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000, overlay: overlay) == 7)
                        #expect(try await lab.curl("h2c1", from: "h1c2", port: 8000, overlay: overlay) == 0)
                        let denial = PolicyLab.denial("no-web", from: "h1c1", to: "h2c1", ports: "8000", mode: "drop")
                        try await lab.reload("\"rules\": [\(denial)]")
                        #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000, overlay: overlay) == 28)
                        #expect(try await lab.curl("h2c1", from: "h1c2", port: 8000, overlay: overlay) == 0)
                        try await lab.reload("\"rules\": []")
                    }
                    let counts = try await lab.client().status().counts
                    #expect((counts["connectsDenied"] ?? 0) >= 2)
                }
            }
        }

        @Test func `each end's own policy counts, and both are explained`() async throws {
            try await PolicyLab.with("ends") { lab in
                let server = ["python3", "-u", "-m", "http.server", "8000"]
                try await lab.fixture.withServer(server, on: "h2c1", until: "Serving") { _ in
                    let rules = "\"rules\": [\(PolicyLab.denial("no-web", from: "h1c1", to: "h2c1", ports: "8000"))]"
                    for host in ["h1", "h2"] {
                        try await lab.reload(rules, on: [host])
                        #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000) == 7)
                        #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000, overlay: true) == 7)
                        let denied = try await lab.slimctl(["explain", "h1c1", "h2c1:8000"])
                        #expect(denied.status == 1)
                        #expect(denied.output.contains("at \(host): reject (rule no-web)"), "\(denied.output)")
                        let other = try await lab.slimctl(["explain", "h1c2", "h2/h2c1:8000/tcp"])
                        #expect(other.status == 0, "\(other.output)\(other.errorOutput)")
                        try await lab.reload("\"rules\": []", on: [host])
                        #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000) == 0)
                    }
                    let nobody = try await lab.slimctl(["explain", "nobody", "h2c1:8000"])
                    #expect(nobody.status == 2)
                }
            }
        }

        @Test func `ping and UDP obey the same file`() async throws {
            try await PolicyLab.with("packets") { lab in
                let fixture = lab.fixture
                let script = """
                    import socket
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 5353)); print('ready', flush=True)
                    while True:
                        data, peer = s.recvfrom(100); s.sendto(data, peer)
                    """
                let asking = """
                    import socket, sys
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1); s.connect((sys.argv[1], 5353))
                    s.send(b'x'); sys.exit(0 if s.recv(10) == b'x' else 1)
                    """
                for server in ["h2c1", "h1c2"] {
                    let ask = ["python3", "-c", asking, try fixture.address(server)]
                    try await fixture.withServer(["python3", "-c", script], on: server, until: "ready") { _ in
                        try await lab.reload("\"rules\": []")
                        #expect(try await lab.ping(server, from: "h1c1"))
                        #expect(try await fixture.run(ask, on: "h1c1").status == 0)
                        try await lab.reload(
                            "\"rules\": [\(PolicyLab.denial("no-ping", from: "h1c1", to: server, transport: "icmp"))]")
                        #expect(try await !lab.ping(server, from: "h1c1"))
                        #expect(try await fixture.run(ask, on: "h1c1").status == 0)
                        let udp = PolicyLab.denial(
                            "no-dns", from: "h1c1", to: server, ports: "\"5000-6000\"", transport: "udp")
                        try await lab.reload("\"rules\": [\(udp)]")
                        #expect(try await lab.ping(server, from: "h1c1"))
                        #expect(try await fixture.run(ask, on: "h1c1").status != 0)
                    }
                }
            }
        }

        @Test func `a running iperf3 ends with an error when its pair is denied, and its neighbour goes on`()
            async throws
        {
            try await PolicyLab.with("cut") { lab in
                let fixture = lab.fixture
                // From now on packets' connections are tracked from their beginning.
                try await lab.reload("\"rules\": []")
                let address = try fixture.address("h2c1")
                let servers = ["5301", "5302", "5303"].map { ["iperf3", "-s", "-4", "--forceflush", "-p", $0] }
                try await fixture.withServer(servers[0], on: "h2c1", until: "Server listening") { _ in
                    try await fixture.withServer(servers[1], on: "h2c1", until: "Server listening") { _ in
                        try await fixture.withServer(servers[2], on: "h2c1", overlay: true, until: "Server listening") {
                            _ in
                            func load(_ node: String, _ port: String, _ seconds: String, overlay: Bool = false) throws
                                -> LabProcess
                            {
                                let client = [
                                    "iperf3", "-4", "--forceflush", "-c", address, "-p", port, "-t", seconds, "-i",
                                    "0.2",
                                ]
                                return try fixture.lab.start(fixture.program(client, on: node, overlay: overlay))
                            }
                            let denied = try load("h1c1", "5301", "100")
                            let packets = try load("h1c1", "5303", "100", overlay: true)
                            let neighbour = try load("h1c2", "5302", "4")
                            for process in [denied, packets, neighbour] { try await process.waitForOutput("sec") }
                            let rules = "\"rules\": [\(PolicyLab.denial("cut", from: "h1c1", to: "h2c1"))]"
                            let difference = try await lab.slimctl(["diff", try lab.file(rules), "--json"])
                            #expect(difference.status == 1)
                            let expected = try JSONDecoder().decode(
                                PolicyDiffReport.self, from: Data(difference.output.utf8))
                            // iperf3's control connection and its stream.
                            #expect(expected.cut.count == 2)
                            #expect(expected.cut.allSatisfy { $0.container == "h1c1" })
                            let report = try await lab.reload(rules)
                            #expect(report.connectionsCut == 2)
                            #expect(report.connectionsKept == 2)
                            #expect(try await denied.wait().status != 0)
                            #expect(try await packets.wait().status != 0)
                            #expect(try await neighbour.wait().status == 0)
                        }
                    }
                }
            }
        }

        @Test func `sessions that stay allowed notice no reload`() async throws {
            try await PolicyLab.with("keep") { lab in
                let fixture = lab.fixture
                let folder = try TemporaryFolder()
                let redis = [
                    "redis-server", "--port", "6200", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "",
                    "--dir", folder.path,
                ]
                let cluster = try await PostgresCluster(fixture)
                try await fixture.withServer(redis, on: "h2c1", until: "Ready to accept connections") { _ in
                    try await cluster.withServer(fixture, on: "h2c1") { address in
                        // Each one session of many commands.
                        let numbers = (1...30).map { "\($0)\n" }.joined()
                        let queries = (1...30).flatMap { ["-c", "select \($0)", "-c", "select pg_sleep(0.1)"] }
                        let sessions = [
                            ["redis-cli", "-h", address, "-p", "6200", "-r", "30", "-i", "0.1", "incr", "n"],
                            cluster.psql(address) + queries,
                        ].map { fixture.program($0, on: "h1c1") }
                        let running = try sessions.map { try fixture.lab.start($0) }
                        for session in running { try await session.waitForOutput("1") }
                        for round in 0..<10 {
                            let other = PolicyLab.denial(
                                "other-\(round)", from: "h1c2", to: "h2c2", ports: "\(7000 + round)")
                            let report = try await lab.reload("\"rules\": [\(other)]", on: ["h1", "h2"])
                            #expect(report.connectionsCut == 0)
                            #expect(report.connectionsKept >= 2)
                        }
                        for session in running {
                            let outcome = try await session.wait()
                            #expect(outcome.status == 0, "\(outcome.errorOutput)")
                            #expect(outcome.output.filter { $0 != "\n" } == numbers.filter { $0 != "\n" })
                        }
                    }
                }
            }
        }

        @Test func `labels decide, also when they change on another host`() async throws {
            try await PolicyLab.with("labels") { lab in
                let rules = """
                    "defaultAction": {"ingress": "deny", "egress": "allow"},
                    "rules": [{"name": "front", "action": "allow", "from": {"labels": {"tier": "front"}}, "to": {"labels": {"tier": "db"}}}]
                    """
                try await lab.reload(rules, on: ["h2"])
                let label = { (host: String, name: String, change: String) in
                    let outcome = try await lab.fixture.slimctl(
                        ["label", name, change, "--router", lab.fixture.lab.directory.adminSocket(host)])
                    #expect(outcome.status == 0, "\(outcome.errorOutput)")
                }
                try await lab.faults.withEchoServer(on: "h2c1", port: 7400) { _ in
                    func connects() async throws -> Bool {
                        let client = [
                            FaultLab.probe, "connect-echo", try lab.fixture.address("h2c1"), "7400", "--count", "1",
                        ]
                        return try await lab.fixture.run(client, on: "h1c1").status == 0
                    }
                    #expect(try await !connects())
                    try await label("h2", "h2c1", "tier=db")
                    #expect(try await !connects())
                    try await label("h1", "h1c1", "tier=front")
                    try await eventually("the new label is known to the other host") { try await connects() }
                    let stream = try lab.fixture.lab.start(
                        lab.fixture.program(
                            ["python3", HostileLab.helpers + "/echo.py", try lab.fixture.address("h2c1"), "7400"],
                            on: "h1c1"))
                    try await stream.waitForOutput("going")
                    try await label("h1", "h1c1", "tier-")
                    let outcome = try await stream.wait()
                    #expect(outcome.status != 0)
                    #expect(try await !connects())
                }
            }
        }

        @Test func `the policy in force outlives the router, and holds while there is none`() async throws {
            try await PolicyLab.with("restart") { lab in
                let fixture = lab.fixture
                let server = ["python3", "-u", "-m", "http.server", "8000"]
                try await fixture.withServer(server, on: "h2c1", until: "Serving") { _ in
                    let rules = """
                        "defaultAction": {"ingress": "allow", "egress": "deny"},
                        "rules": [{"name": "web", "action": "allow", "from": {"container": "h1c2"}, "to": {"labels": {"name": "h2c1"}}}]
                        """
                    try await lab.reload(rules)
                    let before = try await lab.slimctl(["show"]).output
                    try await fixture.lab.router(of: "h1").kill()
                    #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000) == 7)
                    #expect(try await lab.curl("h2c1", from: "h1c2", port: 8000) == 0)
                    try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                    #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000) == 7)
                    #expect(try await lab.curl("h2c1", from: "h1c1", port: 8000, overlay: true) == 7)
                    #expect(try await lab.curl("h2c1", from: "h1c2", port: 8000) == 0)
                    #expect(try await lab.slimctl(["show"]).output == before)
                }
            }
        }

        @Test func `a file that is wrong changes nothing, and the message says where it is wrong`() async throws {
            try await PolicyLab.with("wrong") { lab in
                try await lab.reload("\"rules\": [\(PolicyLab.denial("kept", from: "h1c1", to: "h2c1"))]")
                let before = try await lab.slimctl(["show", "--json"]).output
                let wrong = try lab.file("\"rules\": [{\"name\": \"x\", \"action\": \"alow\"}]")
                for arguments in [["validate", wrong], ["reload", wrong], ["diff", wrong]] {
                    let isOffline = arguments[0] == "validate"
                    let outcome =
                        isOffline
                        ? try await lab.fixture.slimctl(["policy"] + arguments) : try await lab.slimctl(arguments)
                    #expect(outcome.status == 2)
                    #expect(
                        outcome.errorOutput.contains(wrong) && outcome.errorOutput.contains("rules[0]"),
                        "\(outcome.errorOutput)")
                    #expect(outcome.errorOutput.split(separator: "\n").count == 1)
                }
                let missing = try await lab.slimctl(["reload", "/nonexistent.json"])
                #expect(missing.status == 2)
                #expect(try await lab.slimctl(["show", "--json"]).output == before)
                // SIGHUP takes the configured file, here the lab's open one.
                let router = try #require(try lab.fixture.lab.router(of: "h1").process)
                kill(router.id, SIGHUP)
                try await eventually("the configured policy is in force") {
                    try await lab.client().policy().rules == 0
                }
            }
        }
    }
}
