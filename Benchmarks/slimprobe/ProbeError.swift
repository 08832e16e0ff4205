import Glibc

/// Why the probe gives up: one line, and what it exits with.
struct ProbeError: Error {
    let message: String
    let exitCode: Int32

    /// The command line makes no sense.
    static func usage(_ message: String) -> ProbeError { ProbeError(message: message, exitCode: 2) }

    /// The system call that has just failed.
    static func call(_ name: String) -> ProbeError {
        ProbeError(message: "\(name): \(String(cString: strerror(errno)))", exitCode: 1)
    }
}

/// Passes a system call's answer on, throws when it is -1, repeats it after a signal.
@discardableResult
func check<Result: FixedWidthInteger>(_ name: String, _ body: () -> Result) throws(ProbeError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        if errno != EINTR { throw .call(name) }
    }
}
