/// Measured times, in nanoseconds.
struct Samples {
    private var values: [UInt64] = []

    init(capacity: Int) { values.reserveCapacity(capacity) }

    mutating func append(_ value: UInt64) { values.append(value) }

    /// One line of JSON; times in microseconds.
    ///
    /// - Parameter seconds: how long all of it took; tells the rate.
    func json(seconds: Double? = nil) -> String {
        let sorted = values.sorted()
        let at = { (fraction: Double) -> String in
            let index = min(sorted.count - 1, Int(Double(sorted.count) * fraction))
            let hundredths = (sorted[index] + 5) / 10
            let rest = String(hundredths % 100)
            return "\(hundredths / 100).\(rest.count == 1 ? "0" : "")\(rest)"
        }
        let rate = seconds.map { ", \"rate\": \(Int(Double(sorted.count) / $0))" } ?? ""
        return
            "{\"unit\": \"us\", \"count\": \(sorted.count), \"p50\": \(at(0.5)), \"p99\": \(at(0.99)), \"max\": \(at(1))\(rate)}"
    }
}
