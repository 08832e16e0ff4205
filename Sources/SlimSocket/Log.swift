import CSlimSocket

/// Words on stderr, only where `SLIM_LOG` asks for them.
enum Log {
    /// `slim: connect 5: host socket`
    static func debug(_ call: StaticString, _ fd: CInt, _ what: StaticString) {
        guard slim_log_level() >= 3 else { return }
        let saved = slim_errno()
        var text = slim_bytes()
        withUnsafeMutableBytes(of: &text) { line in
            var count = 0
            func append(_ text: StaticString) {
                for index in 0..<min(text.utf8CodeUnitCount, 48) {
                    line[count] = text.utf8Start[index]
                    count += 1
                }
            }
            append("slim: ")
            append(call)
            append(" ")
            var divisor: CInt = 1
            while fd / divisor >= 10 { divisor *= 10 }
            while divisor > 0 {
                line[count] = UInt8(truncatingIfNeeded: 48 + fd / divisor % 10)
                count += 1
                divisor /= 10
            }
            append(": ")
            append(what)
            append("\n")
            slim_write_error(line.baseAddress?.assumingMemoryBound(to: CChar.self), count)
        }
        slim_set_errno(saved)
    }
}
