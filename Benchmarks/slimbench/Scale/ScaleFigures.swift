/// What was measured at several sizes, side by side.
struct ScaleFigures {
    /// What was measured at one size.
    struct Column: Codable {
        struct Entry: Codable {
            let title: String
            let unit: String
            let decimals: Int
            let value: Double
        }

        let size: Int
        private(set) var entries: [Entry] = []

        init(size: Int) { self.size = size }

        mutating func add(_ title: String, _ unit: String, _ value: Double, decimals: Int = 1) {
            entries.append(Entry(title: title, unit: unit, decimals: decimals, value: value))
        }

        func value(_ title: String, _ unit: String) -> Double? {
            entries.first { $0.title == title && $0.unit == unit }?.value
        }
    }

    /// What the sizes count.
    let what: String
    var columns: [Column] = []

    init(_ what: String) { self.what = what }

    /// A table, with what the last size takes for one that the first takes.
    func text() -> String {
        let head = ["", "unit"] + columns.map { "\($0.size)" } + ["last/first"]
        return "by \(what)\n" + Results.aligned([head] + rows, left: [0, 1])
    }

    /// What an entry takes with the last size, where that is more than ten times what it takes with the first: processors' caches
    /// make it a few times as much, nothing that is linear more.
    var superlinear: [String] {
        guard let first = columns.first, let last = columns.last else { return [] }
        return first.entries.filter { entry in
            guard entry.unit == "ns", let value = last.value(entry.title, entry.unit) else { return false }
            return value > 10 * entry.value
        }.map(\.title)
    }

    private var rows: [[String]] {
        var seen: Set<String> = []
        let all = columns.flatMap(\.entries).filter { seen.insert("\($0.title)/\($0.unit)").inserted }
        return all.map { entry in
            let values = columns.map { $0.value(entry.title, entry.unit) }
            let cells = values.map { $0.map { Results.text($0, entry.decimals) } ?? "-" }
            return [entry.title, entry.unit] + cells + [growth(values)]
        }
    }

    private func growth(_ values: [Double?]) -> String {
        let present = values.compactMap(\.self)
        guard let first = present.first, let last = present.last, present.count > 1, first > 0 else { return "-" }
        return Results.text(last / first, 2)
    }
}
