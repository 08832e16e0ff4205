internal import FoundationEssentials
internal import SlimLab

/// The programs of a soak: across hosts, on one host and inside one container; each checks what it gets.
struct Workloads {
    /// A file that the web servers serve: 100,000 numbered lines.
    static let contentName = "content.txt"
    static let content = (0..<100_000).map { "\($0)" }.joined(separator: "\n")

    private let bench: Bench
    private let folder: String
    /// Seconds of a run.
    private let run: Int
    /// Seconds of a run that lasts as long as the soak.
    private let whole: Int

    init(_ bench: Bench, _ folder: borrowing WorkFolder, run: Int, whole: Int) {
        self.bench = bench
        self.folder = folder.path
        self.run = run
        self.whole = whole
    }

    func all() throws(LabError) -> [Workload] {
        try web() + stores() + databases() + streams()
    }

    // MARK: Web servers

    private func web() throws(LabError) -> [Workload] {
        let across = "http://\(try bench.lab.address(of: "h2c1")):\(Bench.webPort)/"
        let back = "http://\(try bench.lab.address(of: "h1c1")):\(Bench.webPort)/"
        let python = "http://\(try bench.lab.address(of: "h1c2")):\(SoakServers.pythonPort)/\(Self.contentName)"
        let times = 10
        let expected = Self.content.utf8.count * times
        let curl = ["curl", "-4sSf"] + Array(repeating: across + Self.contentName, count: times)
        let isContent: @Sendable (String) -> Int? = { output in
            output.utf8.count == expected && output == String(repeating: Self.content, count: times) ? times : nil
        }
        return [
            workload(
                "nginx, wrk, keep-alive", "requests", "h1c1",
                ["wrk", "-t1", "-c8", "-d\(run)s", "--timeout", "20s", across]
            ) {
                $0.contains("Socket errors") || $0.contains("Non-2xx")
                    ? nil : Self.number(before: "requests in", in: $0)
            },
            workload(
                "nginx, ab, a connection per request", "requests", "h2c2", ["ab", "-q", "-n", "2000", "-c", "4", back]
            ) { $0.contains("Failed requests:        0\n") ? Self.number(after: "Complete requests:", in: $0) : nil },
            workload(
                "nginx, ab, the same on one host", "requests", "h1c2", ["ab", "-q", "-n", "500", "-c", "2", back]
            ) { $0.contains("Failed requests:        0\n") ? Self.number(after: "Complete requests:", in: $0) : nil },
            workload("nginx, curl, content compared", "files", "h1c2", curl, isContent),
            workload("nginx, curl, the same in one container", "files", "h2c1", curl, isContent),
            workload(
                "http.server, Python threads, sums compared", "files", "h2c2",
                ["python3", "-c", Self.pythonClient, python, "\(run)"]
            ) { Self.number(after: "ok", in: $0) },
        ]
    }

    /// Four threads that fetch a file, each time over a connection of its own, and compare its checksum.
    private static let pythonClient = """
        import hashlib, sys, threading, time, urllib.request
        expected = hashlib.sha256('\\n'.join(map(str, range(100000))).encode()).hexdigest()
        counts, failures, end = [], [], time.time() + float(sys.argv[2])
        def work():
            count = 0
            while time.time() < end:
                start = time.time()
                try:
                    content = urllib.request.urlopen(sys.argv[1]).read()
                    assert hashlib.sha256(content).hexdigest() == expected, 'other content'
                except Exception as error:
                    return failures.append(f'{error!r} {time.time() - start:.3f} s after its start')
                count += 1
            counts.append(count)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print('ok' if len(counts) == 4 else 'failed', sum(counts), *failures)
        """

    // MARK: Stores

    private func stores() throws(LabError) -> [Workload] {
        let redis = "-h \(try bench.lab.address(of: "h2c2")) -p \(Bench.redisPort)"
        let count = 20000
        let counter = """
            set -e; redis-cli \(redis) del soak >/dev/null
            redis-benchmark \(redis) -q -c 8 -n \(count) incr soak >/dev/null
            redis-cli \(redis) get soak
            """
        let memcached = [
            Bench.probeProgram, "load", "memcached", try bench.lab.address(of: "h1c2"), Bench.memcachedPort, "-4",
            "--connections", "8", "--rate", "2000", "--seconds", "\(run)",
        ]
        return [
            workload("redis, redis-benchmark, counted", "requests", "h1c2", ["sh", "-c", counter]) {
                $0 == "\(count)\n" ? count : nil
            },
            workload("memcached, answers compared", "requests", "h2c1", memcached) {
                Self.number(after: "\"count\":", in: $0)
            },
        ]
    }

    // MARK: Databases

    private func databases() throws(LabError) -> [Workload] {
        let target = [
            "-h", try bench.lab.address(of: "h2c1"), "-p", Bench.postgresPort, "-U", "postgres", "-n",
        ]
        let pgbench = ["\(try Bench.postgresPrograms())/pgbench"] + target
        let processed: @Sendable (String) -> Int? = { output in
            guard output.contains("number of failed transactions: 0 ") else { return nil }
            return Self.number(after: "number of transactions actually processed:", in: output)
        }
        return [
            workload(
                "PostgreSQL, pgbench", "transactions", "h1c1", pgbench + ["-c", "4", "-T", "\(run)", "postgres"],
                processed),
            workload(
                "PostgreSQL, pgbench -C, on one host", "transactions", "h2c2",
                pgbench + ["-c", "2", "-C", "-S", "-t", "100", "postgres"], processed),
        ]
    }

    /// What pgbench's transactions must have left equal.
    static func accounts(_ bench: Bench) async -> [String] {
        let question = """
            select (select sum(abalance) from pgbench_accounts) = (select sum(tbalance) from pgbench_tellers)
            and (select sum(tbalance) from pgbench_tellers) = (select sum(bbalance) from pgbench_branches)
            and (select sum(bbalance) from pgbench_branches) = (select coalesce(sum(delta), 0) from pgbench_history)
            """
        do {
            let psql = [
                "\(try Bench.postgresPrograms())/psql", "-h", try bench.lab.address(of: "h2c1"), "-p",
                Bench.postgresPort, "-U", "postgres", "-XAtc", question, "postgres",
            ]
            let answer = try await bench.run(psql, on: "h1c1", underSlim: true)
            return answer == "t\n" ? [] : ["the sums of the accounts differ"]
        } catch { return ["\(error)"] }
    }

    // MARK: Streams

    private func streams() throws(LabError) -> [Workload] {
        let iperf = { (node: String, options: String) throws(LabError) in
            let address = try self.bench.lab.address(of: node)
            let command = "iperf3 -4 -c \(address) -p \(Bench.iperfPort) -b 50M -t \(self.run) -J \(options)"
            return ["bash", "-c", Self.whenServerListens, "iperf3", command]
        }
        let received: @Sendable (String) -> Int? = { output in
            (try? JSONDecoder().decode(IperfReport.self, from: Data(output.utf8))).map {
                Int($0.end.received.bytes) / 1_000_000
            }
        }
        let places = [("across hosts", "h2c1"), ("on one host", "h1c2"), ("in one container", "h1c1")]
        let compared = try places.map { (place, server) throws(LabError) in
            // One set of connections for the whole soak: all of them live through every killing.
            Workload(
                name: "20 streams, compared, \(place)", unit: "MB", node: "h1c1",
                arguments: [
                    Bench.probeProgram, "stream", try bench.lab.address(of: server), SoakServers.echoPort, "-4",
                    "--connections", "20", "--rate", "5000000", "--seconds", "\(whole)",
                ], limit: .seconds(whole + 60)
            ) { Self.number(after: "\"bytes\":", in: $0).map { $0 / 1_000_000 } }
        }
        return [
            workload("iperf3, 2 streams", "MB", "h1c2", try iperf("h2c2", "-P 2"), received),
            workload("iperf3 -R", "MB", "h2c1", try iperf("h1c1", "-R"), received),
        ] + compared
    }

    /// The server of iperf3 closes its listener after each test and opens another: who comes in between is refused or
    /// reset before anything was sent, on any network. The report tells.
    private static let whenServerListens = """
        for try in {1..150}; do
            text=$($1)
            case $text in *$'"connected":\\t[]'*) sleep 0.1;; *) break;; esac
        done
        echo "$text"
        """

    // MARK: Reading reports

    private func workload(
        _ name: String, _ unit: String, _ node: String, _ arguments: [String],
        _ count: @escaping @Sendable (String) -> Int?
    ) -> Workload {
        Workload(
            name: name, unit: unit, node: node, arguments: arguments, limit: .seconds(run + 60), count: count)
    }

    private static func number(after mark: String, in text: String) -> Int? {
        text.firstRange(of: mark).flatMap { range in
            Int(text[range.upperBound...].drop { $0 == " " }.prefix { $0.isNumber })
        }
    }

    private static func number(before mark: String, in text: String) -> Int? {
        text.firstRange(of: mark).flatMap { range in
            text[..<range.lowerBound].split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
        }
    }
}
