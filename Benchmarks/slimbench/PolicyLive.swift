internal import ArgumentParser
internal import FoundationEssentials
internal import SlimAdmin
internal import SlimLab

/// What a large policy costs a running router, and how fast it takes effect on what lives.
struct PolicyLive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy-live",
        abstract: "Measure set-up under a large policy, its reload, and cutting half of the live connections.")

    @Option(help: "Rules of the large policy.") var rules = 10_000
    @Option(help: "Connections of each of two containers; one's are cut.") var connections = 5000
    @Option(help: "Rounds of what is compared; medians are shown.") var rounds = 15

    private static let denied = "h1c2"
    private static let kept = "h1c1"
    private static let ports = [kept: "7031", denied: "7032"]

    func validate() throws {
        guard (1...100_000).contains(rules), (1...7000).contains(connections), (1...100).contains(rounds) else {
            throw ValidationError("--rules: 1 to 100000; --connections: 1 to 7000; --rounds: 1 to 100")
        }
    }

    func run() async throws {
        try await Bench.run("policy") { bench in
            let folder = try WorkFolder()
            let router = AdminClient(socketPath: bench.lab.directory.adminSocket("h1"))
            let empty = try folder.write("empty.json", "{\"version\": 1}")
            let large = try folder.write("large.json", try policy(bench, extra: ""))
            try await compareSetUp(bench, router, empty, large)
            try await compareLoop(
                bench, router, empty, try folder.write("denied.json", try policy(bench, extra: denial())))
            try await cut(bench, router, empty, try folder.write("cut.json", try policy(bench, extra: denial())))
        }
    }

    private func compareSetUp(_ bench: Bench, _ router: AdminClient, _ empty: String, _ large: String) async throws {
        let server = try await bench.serveProbe(.slim)
        var times: [String: [Double]] = [:]
        var reloads: [Double] = []
        var longest: [Double] = []
        var longestAlone: [Double] = []
        for _ in 0..<rounds {
            for file in [empty, large] {
                let report = try await router.reloadPolicy(PolicyRequest(file: file))
                if file == large { reloads.append(report.milliseconds) }
                times[file, default: []].append(try await bench.probe(.slim, "connect", ["--count", "1000"]).p50)
            }
            longestAlone.append(try await bench.probe(.slim, "connect", ["--count", "3000"]).max)
            // Both ways: taking a large policy, and leaving it.
            async let busy = bench.probe(.slim, "connect", ["--count", "3000"]).max
            _ = try await router.reloadPolicy(PolicyRequest(file: empty))
            _ = try await router.reloadPolicy(PolicyRequest(file: large))
            longest.append(try await busy)
        }
        await server.end()
        print("reload of \(rules) rules, in force: \(Results.text(reloads.median, 1)) ms")
        show(
            "connect() p50", (times[large] ?? []).median, "with \(rules) rules", (times[empty] ?? []).median,
            "with none")
        show(
            "longest of 3000 connect()", longest.median, "while \(rules) rules are taken", longestAlone.median, "else"
        )
    }

    /// Another container retries in a loop what is denied to it.
    private func compareLoop(_ bench: Bench, _ router: AdminClient, _ empty: String, _ denied: String) async throws {
        _ = try await router.reloadPolicy(PolicyRequest(file: denied))
        let server = try await bench.serveProbe(.slim)
        let script = """
            import socket, sys
            print('looping', flush=True)
            while True:
                s = socket.socket(); s.settimeout(5)
                try: s.connect((sys.argv[1], 7099))
                except OSError: pass
                s.close()
            """
        var times: [[Double]] = [[], []]
        for _ in 0..<rounds {
            times[0].append(try await bench.probe(.slim, "connect", ["--count", "1000"]).p50)
            let loop = try bench.start(
                ["python3", "-c", script, try bench.address(.slim)], on: Self.denied, underSlim: true)
            try await loop.waitForOutput("looping")
            times[1].append(try await bench.probe(.slim, "connect", ["--count", "1000"]).p50)
            await loop.end()
        }
        await server.end()
        show("connect() p50", times[1].median, "beside a denied program in a loop", times[0].median, "alone")
        _ = try await router.reloadPolicy(PolicyRequest(file: empty))
    }

    private func cut(_ bench: Bench, _ router: AdminClient, _ empty: String, _ cut: String) async throws {
        let address = try bench.address(.slim)
        var servers: [LabProcess] = []
        var clients: [LabProcess] = []
        for (client, port) in Self.ports.sorted(by: { $0.key < $1.key }) {
            servers.append(
                try await bench.serve(.slim, [Bench.probeProgram, "serve", "-4", "--port", port], until: "ready"))
            let stream = try bench.start(
                [
                    Bench.probeProgram, "stream", address, port, "-4", "--connections", "\(connections)", "--rate",
                    "10000000", "--seconds", "8",
                ], on: client, underSlim: true)
            clients.append(stream)
            try await stream.waitForOutput("going", atMost: .seconds(60))
        }
        let report = try await router.reloadPolicy(PolicyRequest(file: cut))
        print(
            "reload that cuts: \(report.connectionsCut) cut, \(report.connectionsKept) kept; in force after "
                + "\(Results.text(report.inForceMilliseconds, 1)) ms, the last one cut "
                + "\(Results.text(report.milliseconds - report.inForceMilliseconds, 1)) ms later")
        // The streams compare every byte.
        let kept = try await clients[0].wait(atMost: .seconds(60))
        print("those kept: \(kept.status == 0 ? "every byte as it was sent" : kept.errorOutput)")
        let processes = clients + servers
        for process in processes { await process.end() }
        _ = try await router.reloadPolicy(PolicyRequest(file: empty))
    }

    // MARK: Policies

    private func denial() -> String {
        "{\"name\": \"denied\", \"action\": \"deny\", \"from\": {\"container\": \"\(Self.denied)\"}, \"to\": {\"container\": \"h2c1\"}}"
    }

    /// Rules about thousands of others, the lab's containers among them.
    private func policy(_ bench: Bench, extra: String) throws -> String {
        let entries = (0..<rules).map { index in
            """
            {"name": "r\(index)", "action": "\(index % 3 == 0 ? "deny" : "allow")", "from": {"labels": {"app": "a\(index % 997)"}}, \
            "to": {"labels": {"app": "b\(index % 991)"}}, "ports": [\(1000 + index % 5000)], "protocol": "tcp"}
            """
        }
        return "{\"version\": 1, \"rules\": [\((entries + (extra.isEmpty ? [] : [extra])).joined(separator: ",\n"))]}\n"
    }

    private func show(_ what: String, _ value: Double, _ with: String, _ other: Double, _ without: String) {
        print(
            "\(what): \(Results.text(value, 1)) us \(with), \(Results.text(other, 1)) us \(without): "
                + "\(Results.text(value / other, 2))")
    }
}
