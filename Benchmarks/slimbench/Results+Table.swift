extension Results {
    /// The table for people, with Slim's ratios to the other two.
    func table() -> String { Self.aligned(rows, left: [0, 1]) }

    var rows: [[String]] {
        var rows = [["", "unit", "host", "overlay", "Slim", "Slim/host", "Slim/overlay"]]
        for metric in metrics {
            let values = Mode.allCases.map { mode in median(metric, mode).map { Self.text($0, metric.decimals) } ?? "-"
            }
            rows.append(
                [metric.title, metric.unit] + values
                    + [Mode.host, .overlay].map { ratio(metric, $0).map { Self.text($0, 2) } ?? "-" })
        }
        return rows
    }

    /// Rows of equal length as a table for people, a line below the first.
    ///
    /// - Parameter left: the columns that hold text; numbers end below each other.
    static func aligned(_ rows: [[String]], left: Set<Int>) -> String {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return left.contains(column) ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ")
        }
        lines.insert(String(repeating: "-", count: lines[0].count), at: 1)
        return lines.joined(separator: "\n")
    }

    /// Slim's value as a part of another network's: the median of what each two samples say that were taken in turn. They have
    /// met the same machine, more or less; the medians of each network need not have.
    func ratio(_ metric: Metric, _ other: Mode) -> Double? {
        let pairs = zip(values(metric, .slim), values(metric, other))
        let ratios = pairs.compactMap { slim, value in value > 0 ? slim / value : nil }
        return ratios.isEmpty ? nil : ratios.median
    }

    static func text(_ value: Double, _ decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1) { product, _ in product * 10 }
        let scaled = Int((value.magnitude * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard decimals > 0 else { return sign + String(scaled) }
        let rest = String(scaled % scale)
        return "\(sign)\(scaled / scale).\(String(repeating: "0", count: decimals - rest.count))\(rest)"
    }
}
