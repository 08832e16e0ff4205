internal import Glibc

/// How long the machine's processors have been busy: user, system and interrupts of everything, both sides of a
/// connection and the network between them.
///
/// It is what was not idle: the kernel measures idle time exactly, while it guesses user and system time by looking a few
/// hundred times a second. Time that the hypervisor took is not counted.
struct ProcessorTime {
    private let idle: Double
    private let time: ContinuousClock.Instant
    static let processorCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))

    static func now() -> ProcessorTime {
        // cpu user nice system idle iowait irq softirq steal ...
        let fields =
            text("/proc/stat").split(separator: "\n").first?.split(separator: " ").compactMap { Double($0) } ?? []
        let ticks = fields.count > 7 ? fields[3] + fields[4] + fields[7] : 0
        return ProcessorTime(idle: ticks / Double(sysconf(Int32(_SC_CLK_TCK))), time: .now)
    }

    /// Seconds of processor time since an earlier moment, and seconds that have passed.
    func since(_ earlier: ProcessorTime) -> (busy: Double, elapsed: Double) {
        let elapsed = (time - earlier.time) / .seconds(1)
        return (max(0, elapsed * Double(Self.processorCount) - (idle - earlier.idle)), elapsed)
    }

    /// Seconds of processor time that a process has used, all of its threads, also those that have ended; 0 of one that has
    /// gone.
    static func used(by process: pid_t) -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The content of a small file; empty when it cannot be read.
    static func text(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
