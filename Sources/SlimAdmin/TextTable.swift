/// A table for people: aligned columns, no ornaments, so that `awk` and `grep` like it too.
package struct TextTable: Sendable {
    package struct Column: Sendable {
        package enum Alignment: Sendable { case left, right }

        let heading: String
        let alignment: Alignment

        package init(_ heading: String, _ alignment: Alignment = .left) {
            self.heading = heading
            self.alignment = alignment
        }
    }

    private let columns: [Column]
    private let rows: [[String]]

    /// Control characters in cells, line ends among them, become spaces: names and labels come from outside.
    package init(columns: [Column], rows: [[String]]) {
        self.columns = columns
        self.rows = rows.map { $0.map(Self.printable) }
    }

    /// Columns as wide as their widest cell, two spaces between.
    ///
    /// - Parameter boldHeading: for a terminal.
    package func text(boldHeading: Bool = false) -> String {
        let lines = [columns.map(\.heading)] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let padded = lines.map { line in
            var text = ""
            for (column, cell) in line.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                text += column == 0 ? "" : "  "
                text += columns[column].alignment == .right ? padding + cell : cell + padding
            }
            while text.last == " " { text.removeLast() }
            return text
        }
        let heading = boldHeading ? "\u{1b}[1m\(padded[0])\u{1b}[0m" : padded[0]
        return ([heading] + padded.dropFirst()).map { $0 + "\n" }.joined()
    }

    /// Names and values, one pair a line.
    package static func fields(_ pairs: [(name: String, value: String)]) -> String {
        let width = pairs.map(\.name.count).max() ?? 0
        return pairs.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + printable(value) + "\n"
        }.joined()
    }

    /// `2h3m`: at most two units, the larger first.
    package static func duration(seconds: UInt64) -> String {
        let units: [(name: String, length: UInt64)] = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)]
        guard let first = units.firstIndex(where: { seconds >= $0.length }) else { return "0s" }
        var text = "\(seconds / units[first].length)\(units[first].name)"
        if first + 1 < units.count {
            let rest = seconds % units[first].length / units[first + 1].length
            if rest > 0 { text += "\(rest)\(units[first + 1].name)" }
        }
        return text
    }

    /// `1.5M`: at most three digits, in steps of 1000.
    package static func size(bytes: UInt64) -> String {
        var (value, unit) = (bytes, Substring("B"))
        var rest: UInt64 = 0
        for next in ["k", "M", "G", "T", "P"] where value >= 1000 {
            (rest, value, unit) = (value % 1000 / 100, value / 1000, Substring(next))
        }
        return value < 10 && unit != "B" ? "\(value).\(rest)\(unit)" : "\(value)\(unit)"
    }

    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
