import Glibc

/// The verbs that measure. Each prints one line of JSON.
enum Client {
    /// Messages back and forth on one connection.
    static func roundTrip(_ options: Options) throws(ProbeError) {
        let descriptor = try Target(options).connect().descriptor
        defer { close(descriptor) }
        setNoDelay(descriptor)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: options.bytes, alignment: 16)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0x78)
        // The first exchanges warm caches and the connection.
        for _ in 0..<min(200, options.count) { try exchange(descriptor, buffer) }
        var samples = Samples(capacity: options.count)
        for _ in 0..<options.count {
            let start = now()
            try exchange(descriptor, buffer)
            samples.append(now() - start)
        }
        print(samples.json())
    }

    /// `connect()` alone; the connection is closed at once.
    static func connect(_ options: Options) throws(ProbeError) {
        let target = try Target(options)
        var samples = Samples(capacity: options.count)
        for _ in 0..<options.count {
            let (descriptor, nanoseconds) = try target.connect()
            close(descriptor)
            samples.append(nanoseconds)
        }
        print(samples.json())
    }

    /// `connect()`, one message there and back.
    static func connectEcho(_ options: Options) throws(ProbeError) {
        let target = try Target(options)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: options.bytes, alignment: 16)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0x78)
        var samples = Samples(capacity: options.count)
        let first = now()
        for _ in 0..<options.count {
            let start = now()
            let descriptor = try target.connect().descriptor
            defer { close(descriptor) }
            try exchange(descriptor, buffer)
            samples.append(now() - start)
        }
        print(samples.json(seconds: Double(now() - first) / 1e9))
    }

    /// Starting a program and waiting for its end: what a preloaded library adds to every one.
    static func execute(_ options: Options) throws(ProbeError) {
        guard let program = options.positional.first else { throw .usage("exec wants a PROGRAM") }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), nil]
        defer { free(arguments[0]) }
        var samples = Samples(capacity: options.count)
        for _ in 0..<options.count {
            let start = now()
            var pid: pid_t = 0
            let code = posix_spawn(&pid, program, nil, nil, &arguments, environ)
            if code != 0 { errno = code }
            try check("posix_spawn \(program)") { code == 0 ? 0 : -1 }
            var status: CInt = 0
            try check("waitpid") { waitpid(pid, &status, 0) }
            samples.append(now() - start)
        }
        print(samples.json())
    }

    /// Many connections, checked, kept open until standard input ends.
    static func hold(_ options: Options) throws(ProbeError) {
        raiseDescriptorLimit()
        let target = try Target(options)
        var byte: UInt8 = 0x78
        for _ in 0..<options.connections {
            let descriptor = try target.connect().descriptor
            try withUnsafeMutableBytes(of: &byte) { (buffer) throws(ProbeError) in try exchange(descriptor, buffer) }
        }
        print(options.connections)
        while try check("read", { read(0, &byte, 1) }) > 0 {}
    }
}

/// Allows as many descriptors as the system lets this process have.
func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
