import CSlimSystem
import Glibc

/// Sends back what it gets: any number of ports and connections in one thread.
struct ManyServer {
    private static let mostAtOnce: Int32 = 256

    private let epoll: Int32
    private var listeners: Set<Int32> = []
    private var buffer = [UInt8](repeating: 0, count: 16384)

    /// `--ports` of them, from `--port` on.
    init(_ options: Options) throws(ProbeError) {
        guard options.positional.isEmpty else { throw .usage("serve-many wants no other arguments than options") }
        raiseDescriptorLimit()
        epoll = try check("epoll_create1") { epoll_create1(O_CLOEXEC) }
        for number in 0..<options.ports { try listen(options.port &+ UInt16(truncatingIfNeeded: number)) }
    }

    private mutating func listen(_ port: UInt16) throws(ProbeError) {
        let type = Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK
        let listener = try check("socket") { socket(AF_INET, type, 0) }
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        try check("bind") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        try check("listen") { Glibc.listen(listener, 4096) }
        listeners.insert(listener)
        try watch(listener)
    }

    private func watch(_ descriptor: Int32) throws(ProbeError) {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: descriptor))
        try check("epoll_ctl") { epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) }
    }

    /// Serves until the process is ended.
    mutating func run() throws(ProbeError) -> Never {
        print("ready")
        var events = [epoll_event](repeating: epoll_event(), count: Int(Self.mostAtOnce))
        while true {
            let count = try check("epoll_wait") { epoll_wait(epoll, &events, Self.mostAtOnce, -1) }
            for event in events[..<Int(count)] {
                let descriptor = event.data.fd
                if listeners.contains(descriptor) { try accept(on: descriptor) } else { echo(descriptor) }
            }
        }
    }

    private func accept(on listener: Int32) throws(ProbeError) {
        let descriptor = Glibc.accept(listener, nil, nil)
        // It may have gone again meanwhile.
        guard descriptor >= 0 else { return }
        setNoDelay(descriptor)
        try watch(descriptor)
    }

    /// What comes is short: it can be sent back at once.
    private mutating func echo(_ descriptor: Int32) {
        let count = read(descriptor, &buffer, buffer.count)
        if count == -1, errno == EINTR || errno == EAGAIN { return }
        if count <= 0 || write(descriptor, buffer, count) != count { close(descriptor) }
    }
}
