import CSlimSystem
import Glibc

/// The server to talk to: HOST PORT of the command line, resolved once.
struct Target {
    private let address: sockaddr_storage
    private let length: socklen_t
    private let family: Int32

    init(_ options: Options) throws(ProbeError) {
        guard options.positional.count == 2 else { throw .usage("this verb wants HOST PORT") }
        try self.init(options.positional[0], options.positional[1], options.family)
    }

    init(_ host: String, _ port: String, _ wantedFamily: Int) throws(ProbeError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_family = wantedFamily == 4 ? AF_INET : wantedFamily == 6 ? AF_INET6 : AF_UNSPEC
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, port, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0, let first = list?.pointee, let source = first.ai_addr else {
            throw ProbeError(
                message: "\(host) \(port): \(String(cString: gai_strerror(code)))", exitCode: 1)
        }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: source, count: Int(first.ai_addrlen)))
        }
        address = storage
        length = first.ai_addrlen
        family = first.ai_family
    }

    /// Opens a connection.
    ///
    /// - Returns: the descriptor, and the time that `connect()` alone took, in nanoseconds.
    func connect() throws(ProbeError) -> (descriptor: Int32, nanoseconds: UInt64) {
        let descriptor = try check("socket") { socket(family, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) }
        var address = address
        let start = now()
        do throws(ProbeError) {
            try withUnsafePointer(to: &address) { (pointer) throws(ProbeError) in
                _ = try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (pointer) throws(ProbeError) in
                    try check("connect") { Glibc.connect(descriptor, pointer, length) }
                }
            }
        } catch {
            close(descriptor)
            throw error
        }
        return (descriptor, now() - start)
    }
}

/// The monotonic clock, in nanoseconds.
func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Sends small messages at once.
func setNoDelay(_ descriptor: Int32) {
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
}

/// Sends a message and waits for the same number of bytes.
func exchange(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(ProbeError) {
    var sent = 0
    while sent < buffer.count {
        sent += try check("write") { write(descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent) }
    }
    try receive(descriptor, buffer)
}

/// Waits for as many bytes as the buffer holds.
func receive(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(ProbeError) {
    var received = 0
    while received < buffer.count {
        let count = try check("read") {
            read(descriptor, buffer.baseAddress.map { $0 + received }, buffer.count - received)
        }
        guard count > 0 else { throw ProbeError(message: "read: the server has closed the connection", exitCode: 1) }
        received += count
    }
}
