import CSlimSystem
import Glibc
import SlimRegistry
import SlimSystem
import SystemPackage

/// Descriptors of every sort, as programs may send them.
enum Sockets {
    enum Kind: UInt8, CaseIterable {
        case tcp, tcpV6, bound, listening, listeningV6, connected, shutDown, datagram, unix, laden, pipe, null, epoll,
            memory
        case netlink, folder
    }

    /// Makes one; the caller closes it.
    static func make(_ kind: Kind) -> CInt {
        switch kind {
        case .tcp: return open(AF_INET, .tcp)
        case .tcpV6: return open(AF_INET6, .tcp)
        case .bound: return bound(open(AF_INET, .tcp))
        case .listening: return listening(AF_INET)
        case .listeningV6: return listening(AF_INET6)
        case .connected: return connected()
        case .shutDown:
            let fd = listening(AF_INET)
            shutdown(fd, CInt(SHUT_RDWR))
            return fd
        case .datagram: return open(AF_INET, .datagram)
        case .unix: return open(AF_UNIX, .datagram)
        case .laden: return laden()
        case .pipe:
            var ends: [CInt] = [-1, -1]
            pipe(&ends)
            close(ends[1])
            return ends[0]
        case .null: return Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        case .epoll: return epoll_create1(CInt(EPOLL_CLOEXEC))
        case .memory: return memory()
        case .netlink: return open(AF_NETLINK, .raw)
        case .folder: return Glibc.open("/", O_RDONLY | O_CLOEXEC)
        }
    }

    private enum Sort { case tcp, datagram, raw }

    private static func open(_ family: CInt, _ sort: Sort) -> CInt {
        let type =
            switch sort {
            case .tcp: SOCK_STREAM
            case .datagram: SOCK_DGRAM
            case .raw: SOCK_RAW
            }
        return socket(family, CInt(type.rawValue) | O_CLOEXEC, 0)
    }

    private static func listening(_ family: CInt) -> CInt {
        let fd = open(family, .tcp)
        Glibc.listen(fd, 4)
        return fd
    }

    private static func bound(_ fd: CInt) -> CInt {
        if let address = KernelAddress(Endpoint(.anyV4, Port(0)), for: .v4) { try? StreamSocket.bind(fd, to: address) }
        return fd
    }

    private static func connected() -> CInt {
        let (server, client) = (listening(AF_INET), open(AF_INET, .tcp))
        if let address = try? StreamSocket.localAddress(server).endpoint,
            let target = KernelAddress(Endpoint(IPAddress(v4: (127, 0, 0, 1)), address.port), for: .v4)
        {
            try? StreamSocket.connect(client, to: target)
        }
        close(server)
        return client
    }

    /// A file without a name.
    private static func memory() -> CInt {
        var name = Array("/dev/shm/slim-fuzz-XXXXXX".utf8CString)
        let fd = mkstemp(&name)
        unlink(name)
        return fd
    }

    /// A Unix socket with a message and a descriptor in it that nobody has read.
    private static func laden() -> CInt {
        guard let (one, other) = try? LocalSocket.pair() else { return -1 }
        try? LocalSocket.send(UInt64(1), to: one, passing: one)
        close(one)
        return other
    }

    /// Sends one message with any number of descriptors, which the project's own functions do not.
    static func send(_ message: UnsafeRawBufferPointer, _ descriptors: [CInt], to link: CInt) {
        var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: message.baseAddress), iov_len: message.count)
        descriptors.withUnsafeBytes { passed in
            let head = MemoryLayout<cmsghdr>.size
            withUnsafeTemporaryAllocation(byteCount: head + passed.count + 8, alignment: 8) { control in
                var part = cmsghdr()
                part.cmsg_len = head + passed.count
                part.cmsg_level = SOL_SOCKET
                part.cmsg_type = CInt(SCM_RIGHTS)
                control.storeBytes(of: part, as: cmsghdr.self)
                UnsafeMutableRawBufferPointer(rebasing: control[head...]).copyMemory(from: passed)
                withUnsafeMutablePointer(to: &vector) { vector in
                    var header = msghdr()
                    header.msg_iov = vector
                    header.msg_iovlen = 1
                    if !passed.isEmpty {
                        header.msg_control = control.baseAddress
                        header.msg_controllen = (head + passed.count + 7) & ~7
                    }
                    _ = sendmsg(link, &header, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
                }
            }
        }
    }
}
