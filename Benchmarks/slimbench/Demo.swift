internal import ArgumentParser
internal import Glibc
internal import SlimLab

/// Shows iperf3, nginx and redis over the three networks.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Show iperf3, nginx and redis over host, plain overlay and Slim, a live change of policy, and a hostile container."
    )

    func run() async throws {
        try Bench.checkPrograms(["iperf3", "nginx", "ab", "redis-server", "redis-benchmark"])
        say("Slim demo: two hosts in network namespaces, two containers on each, a router on each host")
        var results = Results()
        try await Bench.run("demo") { bench in
            let folder = try WorkFolder()
            for mode in Mode.allCases {
                let servers = try await start(mode, bench, folder)
                try await measure(mode, bench, &results)
                for server in servers { await server.end() }
            }
            try await DemoPolicy(bench: bench).run(folder)
            try await DemoSecure.run(bench)
            say("\ntaking the lab down")
        }
        print("\nUnmodified programs, one on each of two hosts:\n")
        print(results.table())
        print(Self.further)
    }

    private func start(_ mode: Mode, _ bench: Bench, _ folder: borrowing WorkFolder) async throws -> [LabProcess] {
        let (server, client) = (bench.placement.server(mode), bench.placement.client(mode))
        say("\n\(mode.rawValue): iperf3, nginx and redis on \(server), their clients on \(client)")
        return [
            try await bench.serveIperf(mode),
            try await bench.serveNginx(mode, folder),
            try await bench.serveRedis(mode, folder),
        ]
    }

    private func measure(_ mode: Mode, _ bench: Bench, _ results: inout Results) async throws {
        let before = try bench.vxlanBytes()
        let (gigabits, bytes) = try await bench.throughput(mode, seconds: 3)
        let share = Double(try bench.vxlanBytes() - before) / bytes
        results.add(.throughput, mode, gigabits)
        results.add(.vxlanShare, mode, share)
        say(
            "  iperf3  \(Results.text(gigabits, 2)) Gbit/s; \(Results.text(share * 100, 0)) % of the bytes crossed the VXLAN device"
        )
        let keepAlive = try await bench.apacheBench(mode, requests: 40000, keepAlive: true)
        let single = try await bench.apacheBench(mode, requests: 8000, keepAlive: false)
        results.add(.nginxKeepAlive, mode, keepAlive)
        results.add(.nginxConnections, mode, single)
        say("  nginx   \(Results.text(keepAlive, 0)) requests/s, \(Results.text(single, 0)) with a connection each")
        let gets = try await bench.redisBenchmark(mode, "get", requests: 100_000)
        results.add(.redisGet, mode, gets)
        say("  redis   \(Results.text(gets, 0)) GETs/s")
    }

    private static let further = """

        How to go on:
          build/bin/slimctl lab up                                      a lab of your own
          build/bin/slimctl lab exec h2c1 -- nginx -g 'daemon off;' &   any program, as it is
          build/bin/slimctl lab exec h1c1 -- curl http://h2c1/          over Slim
          build/bin/slimctl lab exec --overlay h1c1 -- curl http://h2c1/    the same without
          build/bin/slimctl --help                                      what else there is
          build/bin/slimctl lab down                                    removes it all
        README.md tells how to use Slim on real hosts.
        """
}
