internal import FoundationEssentials
internal import Glibc

/// Measures what runs in this process.
enum Meter {
    /// Calls between two looks at the clock.
    static let batch = 64

    /// Nanoseconds of one call on average, and of the longest that so many in a row have taken.
    static func each(_ count: Int, _ body: (Int) -> Void) -> (mean: Double, longest: Double) {
        var longest = UInt64(0)
        let start = processorTime()
        var last = start
        for first in stride(from: 0, to: count, by: batch) {
            for number in first..<min(count, first + batch) { body(number) }
            let now = processorTime()
            longest = max(longest, now - last)
            last = now
        }
        return (Double(last - start) / Double(max(1, count)), Double(longest))
    }

    static func time(_ body: () throws -> Void) rethrows -> Double {
        let start = processorTime()
        try body()
        return Double(processorTime() - start)
    }

    /// Of this thread, in nanoseconds: what the machine does otherwise does not count.
    private static func processorTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Each number below the count once, in no order.
    static func scattered(_ number: Int, _ count: Int) -> Int { Int((UInt64(number) &* 1_000_003) % UInt64(count)) }

    /// By how much this process has grown.
    static func growth<Value>(_ body: () throws -> Value) rethrows -> (bytes: Double, value: Value) {
        let before = resident()
        let value = try body()
        return (resident() - before, value)
    }

    private static func resident() -> Double {
        let fields = ProcessorTime.text("/proc/self/statm").split(separator: " ")
        return (fields.count > 1 ? Double(fields[1]) ?? 0 : 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// Where a router keeps its files, in memory; removed in the end.
struct MemoryDirectory: ~Copyable {
    let path: String

    init(_ number: Int) throws {
        path = "/run/slim-scale-\(getpid())-\(number)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
