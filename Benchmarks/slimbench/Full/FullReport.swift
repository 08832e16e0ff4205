internal import FoundationEssentials

/// Everything that a comparison has found, as JSON, as Markdown and as a chart.
struct FullReport {
    let machine: Machine
    let rounds: Int
    let rates: Suite.Rates
    let results: [Placement: Results]

    private var verdicts: [Verdict] { Placement.allCases.flatMap { Verdict.all(of($0), $0) } }
    private var paper: [PaperNumber] { Placement.allCases.flatMap { PaperNumber.all(of($0), $0) } }

    private func of(_ placement: Placement) -> Results { results[placement] ?? Results() }

    func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let files = [("bench.json", try json()), ("bench.md", markdown()), ("bench.svg", Chart(results).svg())]
        for (name, content) in files { try Data(content.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
    }

    /// The metrics across two hosts are on top, as `slimbench quick` writes them; those on one host in `one_host`.
    private func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Content(report: self)), as: UTF8.self) + "\n"
    }

    private struct Content: Encodable {
        let report: FullReport

        private enum Key: String, CodingKey {
            case machine, rounds, verdicts, paper
            case rates = "fixed_rates"
            case oneHost = "one_host"
        }

        func encode(to encoder: any Encoder) throws {
            try report.of(.twoHosts).entries.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(report.machine, forKey: .machine)
            try container.encode(report.rounds, forKey: .rounds)
            try container.encode(report.rates, forKey: .rates)
            try container.encode(report.of(.oneHost).entries, forKey: .oneHost)
            try container.encode(report.verdicts, forKey: .verdicts)
            try container.encode(report.paper, forKey: .paper)
        }
    }

    // MARK: Tables

    /// For the terminal.
    func text() -> String {
        let tables = Placement.allCases.map { "\($0.title)\n\n\(of($0).table())" }
        return
            (tables + [
                "promises\n\n" + Results.aligned(verdictRows, left: [0, 1, 4]),
                "the paper's numbers, against the plain overlay\n\n" + Results.aligned(paperRows, left: [0, 1, 5]),
            ]).joined(separator: "\n\n")
    }

    private var verdictRows: [[String]] {
        [["promise", "", "limit", "measured", ""]]
            + verdicts.map {
                [
                    $0.promise, $0.placement, Self.short($0.limit), Self.short($0.measured),
                    $0.isReached ? "reached" : "MISSED",
                ]
            }
    }

    private var paperRows: [[String]] {
        [["", "", "paper", "Slim", "host (the most there is)", ""]]
            + paper.map {
                [
                    $0.what, $0.placement, Self.percent($0.paper), Self.percent($0.slim), Self.percent($0.host),
                    $0.isReached ? "reached" : "not reached",
                ]
            }
    }

    /// Ratios with two decimals, counts without.
    private static func short(_ number: Double) -> String {
        Results.text(number, number == number.rounded() ? 0 : number < 10 ? 3 : 0)
    }

    private static func percent(_ number: Double) -> String {
        (number > 0 ? "+" : "") + Results.text(number, 0) + " %"
    }

    private func markdown() -> String {
        let tables = Placement.allCases.map { placement in
            "## \(placement.title.prefix(1).uppercased() + placement.title.dropFirst())\n\n"
                + Self.table(of(placement).rows, left: [0, 1])
        }
        let text = """
            # Slim beside the host's network and the plain overlay

            Medians of \(rounds) rounds, the three networks in turn within each measurement. \(machine.summary).
            Servers on one core, clients on the other; round trips also with both on one core, set-ups with the routers too. CPU is that of the whole
            machine, both sides and what is between them. Fixed rates, half of what the plain overlay manages: nginx
            \(rates.nginx), memcached \(rates.memcached), PostgreSQL \(rates.postgres) requests a second. memcached's load:
            ten reads of 32 bytes for each write.

            \(tables.joined(separator: "\n\n"))

            ## Promises

            Set-up is promised across hosts, and "the first time" is a program's: its host may have asked the other one before.

            \(Self.table(verdictRows, left: [0, 1, 4]))

            ## The paper's numbers

            Zhuo et al., NSDI'19: what Slim changes against the packet overlay. No network of connections can change more than
            the host's own does, in the next column, on the same machine.

            \(Self.table(paperRows, left: [0, 1, 5]))

            """
        return text
    }

    private static func table(_ rows: [[String]], left: Set<Int>) -> String {
        var lines = rows.map { "| " + $0.joined(separator: " | ") + " |" }
        let columns = rows.first?.count ?? 0
        lines.insert("|" + (0..<columns).map { left.contains($0) ? "---|" : "---:|" }.joined(), at: 1)
        return lines.joined(separator: "\n")
    }
}
