internal import SlimSystem
internal import SystemPackage

/// The kernel parameters of a network namespace: `/proc/sys/net`, which shows those of the thread that looks.
enum KernelParameters {
    /// The value of a parameter such as `ipv4/ip_forward`.
    static func value(of name: String, in namespace: borrowing NetworkNamespace) throws(Errno) -> String {
        try namespace.run { () throws(Errno) in try read(name) }
    }

    /// Sets a parameter unless it has the value already.
    static func set(_ name: String, to value: String, in namespace: borrowing NetworkNamespace) throws(Errno) {
        try namespace.run { () throws(Errno) in
            guard try read(name) != value else { return }
            try write(value, to: name)
        }
    }

    private static func path(_ name: String) -> FilePath { FilePath("/proc/sys/net/" + name) }

    private static func read(_ name: String) throws(Errno) -> String {
        let value = try throwingErrno {
            let file = try FileDescriptor.open(path(name), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                try String(unsafeUninitializedCapacity: 256) { try file.read(into: UnsafeMutableRawBufferPointer($0)) }
            }
        }
        return String(value.prefix { $0 != "\n" })
    }

    private static func write(_ value: String, to name: String) throws(Errno) {
        try throwingErrno {
            let file = try FileDescriptor.open(path(name), .writeOnly, options: .closeOnExec)
            _ = try file.closeAfter { try file.writeAll(value.utf8) }
        }
    }

    private static func throwingErrno<Value>(_ body: () throws -> Value) throws(Errno) -> Value {
        do { return try body() } catch let error as Errno { throw error } catch { throw .ioError }
    }
}
