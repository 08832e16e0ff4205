internal import FoundationEssentials
internal import SlimLab

/// What the numbers were measured on: they mean nothing without it.
struct Machine: Encodable {
    let processor: String
    let cores: Int
    let memoryGigabytes: Int
    let kernel: String
    let programs: [String: String]

    init(_ bench: Bench) async {
        let lines = ProcessorTime.text("/proc/cpuinfo").split(separator: "\n")
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last.map(String.init)
        processor = (name ?? "unknown").split(separator: " ").joined(separator: " ")
        cores = lines.count { $0.hasPrefix("processor") }
        let memory = ProcessorTime.text("/proc/meminfo").split(separator: "\n").first ?? ""
        memoryGigabytes = (memory.split(separator: " ").compactMap { Int($0) }.first ?? 0) / 1_000_000
        kernel = ProcessorTime.text("/proc/sys/kernel/osrelease").split(separator: "\n").first.map(String.init) ?? ""
        programs = await Self.versions(bench)
    }

    private static func versions(_ bench: Bench) async -> [String: String] {
        let questions: [(String, [String])] = [
            ("iperf3", ["iperf3", "--version"]), ("nginx", ["sh", "-c", "nginx -v 2>&1"]), ("ab", ["ab", "-V"]),
            ("wrk", ["sh", "-c", "wrk -v || true"]), ("redis", ["redis-server", "--version"]),
            ("memcached", ["memcached", "--version"]),
            ("PostgreSQL", ["\((try? Bench.postgresPrograms()) ?? "")/postgres", "--version"]),
        ]
        var versions: [String: String] = [:]
        for (name, question) in questions {
            let text = (try? await bench.run(question, on: nil, underSlim: false)) ?? ""
            // The first thing that looks like one.
            let word = text.split(whereSeparator: { " \n/=,<>".contains($0) }).first { word in
                let digits = word.hasPrefix("v") ? word.dropFirst() : word
                return digits.first?.isNumber == true && digits.contains(".")
            }
            versions[name] = word.map(String.init) ?? "unknown"
        }
        return versions
    }

    /// One line.
    var summary: String {
        "\(processor), \(cores) cores, \(memoryGigabytes) GB; Linux \(kernel); "
            + programs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}
