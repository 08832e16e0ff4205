/// What the programs of a soak have done, and what was lost.
actor Ledger {
    private struct Entry {
        let unit: String
        var runs = 0
        var count = 0
        var lost = 0
    }

    private(set) var losses: [String] = []
    private var names: [String] = []
    private var entries: [String: Entry] = [:]
    private let start = ContinuousClock.now
    private var kills = 0
    private var fast = 0
    private var slow = 0

    /// What will be counted, in the order of the table.
    func open(_ workloads: [(name: String, unit: String)]) {
        names = workloads.map(\.name)
        for workload in workloads { entries[workload.name] = Entry(unit: workload.unit) }
    }

    func add(_ name: String, _ count: Int) {
        entries[name]?.runs += 1
        entries[name]?.count += count
    }

    func lose(_ name: String, _ what: String) {
        let loss = "\(elapsed) \(name): \(what)"
        losses.append(loss)
        entries[name]?.lost += 1
        say("LOST \(loss)")
    }

    /// What a router has counted in its life, which is over when it is killed.
    func add(handedOver: UInt64, byOverlay: UInt64, kills isKilled: Bool) {
        if isKilled { kills += 1 }
        fast += Int(handedOver)
        slow += Int(byOverlay)
    }

    /// Minutes and seconds since the start.
    var elapsed: String {
        let seconds = Int((ContinuousClock.now - start).components.seconds)
        return "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
    }

    /// One line of progress.
    func progress() -> String {
        let runs = entries.values.map(\.runs).reduce(0, +)
        return "\(runs) runs, \(losses.isEmpty ? "nothing lost" : "\(losses.count) LOSSES")"
    }

    func table() -> String {
        var rows = [["program", "runs", "done and checked", "", "lost"]]
        for name in names {
            guard let entry = entries[name] else { continue }
            rows.append([name, "\(entry.runs)", Self.grouped(entry.count), entry.unit, "\(entry.lost)"])
        }
        let counts =
            "\(kills) routers killed; connections on host sockets: \(Self.grouped(fast)), on the packet overlay meanwhile: \(Self.grouped(slow))"
        return Results.aligned(rows, left: [0, 3]) + "\n\n" + counts
    }

    /// 1234567 as 1,234,567.
    static func grouped(_ number: Int) -> String {
        let digits = String(number)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// Without a fraction where there is none.
    static func text(_ number: Double) -> String { Results.text(number, number == number.rounded() ? 0 : 1) }
}
