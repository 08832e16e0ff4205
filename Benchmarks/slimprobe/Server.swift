import CSlimSystem
import Glibc
import Synchronization

/// Sends back what it gets: a thread for each connection, and always one that waits for the next.
final class Server: Sendable {
    private let listener: Int32
    private let waiting = Atomic<Int>(0)

    init(_ options: Options) throws(ProbeError) {
        guard options.positional.isEmpty else { throw .usage("serve wants no other arguments than options") }
        raiseDescriptorLimit()
        // IPv6 serves IPv4 too, unless a family is asked for.
        let family = options.family == 4 ? AF_INET : AF_INET6
        let listener = try check("socket") { socket(family, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) }
        self.listener = listener
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var onlyV6: Int32 = options.family == 6 ? 1 : 0
        if family == AF_INET6 {
            setsockopt(listener, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &onlyV6, socklen_t(MemoryLayout<Int32>.size))
        }
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = options.port.bigEndian
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = options.port.bigEndian
        if family == AF_INET { try Self.bind(listener, &v4) } else { try Self.bind(listener, &v6) }
        try check("listen") { listen(listener, 4096) }
    }

    private static func bind<Address>(_ socket: Int32, _ address: inout Address) throws(ProbeError) {
        let length = socklen_t(MemoryLayout<Address>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(socket, $0, length) }
        }
        guard code == 0 else { throw .call("bind") }
    }

    /// Serves until the process is ended.
    func run() throws(ProbeError) -> Never {
        print("ready")
        waiting.store(1, ordering: .relaxed)
        try serve()
    }

    private func serve() throws(ProbeError) -> Never {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let descriptor = try check("accept") { accept(listener, nil, nil) }
            if waiting.wrappingSubtract(1, ordering: .relaxed).newValue == 0 { startThread() }
            setNoDelay(descriptor)
            while echo(descriptor, &buffer) {}
            close(descriptor)
            waiting.wrappingAdd(1, ordering: .relaxed)
        }
    }

    private func startThread() {
        waiting.wrappingAdd(1, ordering: .relaxed)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 128 * 1024)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                do throws(ProbeError) {
                    try Unmanaged<Server>.fromOpaque(context).takeRetainedValue().serve()
                } catch { fail(error) }
            }, Unmanaged.passRetained(self).toOpaque())
        if code != 0 { fail(ProbeError(message: "pthread_create: \(String(cString: strerror(code)))", exitCode: 1)) }
    }

    /// - Returns: whether the connection goes on.
    private func echo(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Bool {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return count == -1 && errno == EINTR }
        var sent = 0
        while sent < count {
            let written = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + sent }, count - sent) }
            if written == -1, errno == EINTR { continue }
            guard written > 0 else { return false }
            sent += written
        }
        return true
    }
}
