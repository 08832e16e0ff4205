internal import FoundationEssentials

/// All samples of a run.
struct Results {
    private var samples: [Metric: [Mode: [Double]]] = [:]

    mutating func add(_ metric: Metric, _ mode: Mode, _ value: Double) {
        samples[metric, default: [:]][mode, default: []].append(value)
    }

    /// The median of a metric's samples; `nil` when there are none.
    func median(_ metric: Metric, _ mode: Mode) -> Double? {
        let values = values(metric, mode)
        return values.isEmpty ? nil : values.median
    }

    /// A metric's samples, in the order in which they were taken.
    func values(_ metric: Metric, _ mode: Mode) -> [Double] { samples[metric]?[mode] ?? [] }

    var metrics: [Metric] { Metric.allCases.filter { samples[$0] != nil } }

    /// `{"metric": {"unit": .., "better": "higher|lower", "host": .., "overlay": .., "slim": ..}}`; `null` where nothing was measured.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(entries), as: UTF8.self) + "\n"
    }

    /// What ``json()`` writes, by the metrics' names.
    var entries: [String: Entry] {
        let entries = metrics.map { metric in
            let entry = Entry(
                unit: metric.unit, better: metric.isHigherBetter ? "higher" : "lower", host: rounded(metric, .host),
                overlay: rounded(metric, .overlay), slim: rounded(metric, .slim))
            return (metric.rawValue, entry)
        }
        return Dictionary(uniqueKeysWithValues: entries)
    }

    private func rounded(_ metric: Metric, _ mode: Mode) -> Double? {
        median(metric, mode).map { ($0 * 10_000).rounded() / 10_000 }
    }

    struct Entry: Encodable {
        let unit: String
        let better: String
        let host: Double?
        let overlay: Double?
        let slim: Double?

        private enum Key: String, CodingKey { case unit, better, host, overlay, slim }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(unit, forKey: .unit)
            try container.encode(better, forKey: .better)
            try container.encode(host, forKey: .host)
            try container.encode(overlay, forKey: .overlay)
            try container.encode(slim, forKey: .slim)
        }
    }
}

extension [Double] {
    /// The one in the middle, or between the two that are; 0 of none.
    var median: Double {
        if isEmpty { return 0 }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
