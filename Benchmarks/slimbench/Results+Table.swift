extension Results {
    /// The table for people, with Slim's ratios to the other two.
    func table() -> String {
        var rows = [["", "unit", "host", "overlay", "Slim", "Slim/host", "Slim/overlay"]]
        for metric in metrics {
            let values = Mode.allCases.map { mode in median(metric, mode).map { Self.text($0, metric.decimals) } ?? "-"
            }
            rows.append([metric.title, metric.unit] + values + [ratio(metric, .host), ratio(metric, .overlay)])
        }
        let widths = (0..<7).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return column < 2 ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ")
        }
        lines.insert(String(repeating: "-", count: lines[0].count), at: 1)
        return lines.joined(separator: "\n")
    }

    private func ratio(_ metric: Metric, _ other: Mode) -> String {
        guard let slim = median(metric, .slim), let value = median(metric, other), value > 0 else { return "-" }
        return Self.text(slim / value, 2)
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
