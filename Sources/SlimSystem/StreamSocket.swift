internal import CSlimSystem
internal import Glibc

package import SystemPackage

/// TCP sockets, by borrowed descriptor number: an application's, a host socket, a listener.
package enum StreamSocket {
    package enum Option: Sendable {
        case reuseAddress, fastOpenQueue, fastOpenWithoutCookie, fastOpenConnect, v6Only, noDelay
        case mark, priority, typeOfService, trafficClass
        /// The index of the interface that the socket is bound to.
        case interface

        var name: (level: CInt, option: CInt) {
            switch self {
            case .reuseAddress: (SOL_SOCKET, SO_REUSEADDR)
            case .fastOpenQueue: (CInt(IPPROTO_TCP), TCP_FASTOPEN)
            case .fastOpenWithoutCookie: (CInt(IPPROTO_TCP), TCP_FASTOPEN_NO_COOKIE)
            case .fastOpenConnect: (CInt(IPPROTO_TCP), TCP_FASTOPEN_CONNECT)
            case .v6Only: (CInt(IPPROTO_IPV6), IPV6_V6ONLY)
            case .interface: (SOL_SOCKET, SLIM_SO_BINDTOIFINDEX)
            case .noDelay: (CInt(IPPROTO_TCP), TCP_NODELAY)
            case .mark: (SOL_SOCKET, SO_MARK)
            case .priority: (SOL_SOCKET, SO_PRIORITY)
            case .typeOfService: (CInt(IPPROTO_IP), IP_TOS)
            case .trafficClass: (CInt(IPPROTO_IPV6), IPV6_TCLASS)
            }
        }
    }

    /// A new TCP socket, close-on-exec.
    ///
    /// The corresponding C function is `socket`.
    package static func open(_ family: KernelAddress.Family, nonblocking: Bool) throws(Errno) -> OwnedDescriptor {
        let type = CInt(SOCK_STREAM.rawValue) | O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)
        return OwnedDescriptor(try systemCall { socket(family.rawValue, type, 0) })
    }

    /// The corresponding C function is `setsockopt` with an `int`.
    package static func set(_ option: Option, _ value: CInt, on fd: CInt) throws(Errno) {
        var value = value
        let (level, name) = option.name
        try systemCall { setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<CInt>.size)) }
    }

    /// The corresponding C function is `getsockopt` with an `int`.
    package static func get(_ option: Option, on fd: CInt) throws(Errno) -> CInt {
        let (level, name) = option.name
        return try integer(level, name, of: fd)
    }

    /// Lowers how fast a socket sends. The corresponding option is `SO_MAX_PACING_RATE`.
    package static func limitPace(_ fd: CInt, bytesPerSecond: UInt64) throws(Errno) {
        var pace: UInt64 = 0
        var length = socklen_t(MemoryLayout<UInt64>.size)
        try systemCall { getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &pace, &length) }
        guard pace > bytesPerSecond else { return }
        pace = bytesPerSecond
        try systemCall { setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &pace, socklen_t(MemoryLayout<UInt64>.size)) }
    }

    /// The name of a socket's congestion control. The corresponding option is `TCP_CONGESTION`.
    package static func congestionControl(_ fd: CInt) throws(Errno) -> String {
        var name = [CChar](repeating: 0, count: 16)
        var length = socklen_t(name.count)
        try systemCall { getsockopt(fd, CInt(IPPROTO_TCP), TCP_CONGESTION, &name, &length) }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Has a socket send by another congestion control; of a listening one, those that are accepted from it. The corresponding
    /// option is `TCP_CONGESTION`.
    package static func setCongestionControl(_ fd: CInt, _ name: String) throws(Errno) {
        try systemCall { setsockopt(fd, CInt(IPPROTO_TCP), TCP_CONGESTION, name, socklen_t(name.utf8.count)) }
    }

    /// The corresponding C function is `bind`.
    package static func bind(_ fd: CInt, to address: KernelAddress) throws(Errno) {
        try systemCall { address.withPointer { Glibc.bind(fd, $0, $1) } }
    }

    /// The corresponding C function is `listen`.
    package static func listen(_ fd: CInt, backlog: CInt) throws(Errno) {
        try systemCall { Glibc.listen(fd, backlog) }
    }

    /// Accepts one connection and tells where it came from. It is close-on-exec and blocking.
    ///
    /// The corresponding C function is `accept4`.
    /// - Parameter peer: filled with the peer's address; must be fresh.
    /// - Returns: `nil` when nothing is pending on a non-blocking socket, or the connection is gone already.
    package static func accept(_ fd: CInt, peer: inout KernelAddress) throws(Errno) -> OwnedDescriptor? {
        let connection = peer.withMutablePointer { slim_accept_closing(fd, $0, $1, 0) }
        if connection >= 0 { return OwnedDescriptor(connection) }
        switch errno {
        case EAGAIN, EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH: return nil
        case let code: throw Errno(rawValue: code)
        }
    }

    /// Starts a connection whose SYN carries data.
    ///
    /// The corresponding C function is `sendto` with `MSG_FASTOPEN`.
    /// - Returns: the bytes that went into the SYN.
    /// - Throws: `EINPROGRESS` when the connection was started without data.
    package static func fastOpen(_ fd: CInt, _ data: UnsafeRawBufferPointer, to address: KernelAddress) throws(Errno)
        -> Int
    {
        try systemCall { address.withPointer { slim_fast_open(fd, data.baseAddress, data.count, $0, $1) } }
    }

    /// Starts a connection. The corresponding C function is `connect`.
    ///
    /// - Throws: `EINPROGRESS` on a non-blocking socket.
    package static func connect(_ fd: CInt, to address: KernelAddress) throws(Errno) {
        try systemCall { address.withPointer { Glibc.connect(fd, $0, $1) } }
    }

    /// Has a new, non-blocking socket connect when it is first written to (`TCP_FASTOPEN_CONNECT`): it is in SYN_SENT from
    /// now on, and sends its SYN with what is written.
    ///
    /// - Throws: `EINPROGRESS` when the kernel has sent a SYN already.
    package static func connectOnWrite(_ fd: CInt, to address: KernelAddress) throws(Errno) {
        try set(.fastOpenConnect, 1, on: fd)
        try connect(fd, to: address)
    }

    /// The address that a socket is bound to. The corresponding C function is `getsockname`.
    package static func localAddress(_ fd: CInt) throws(Errno) -> KernelAddress {
        var address = KernelAddress()
        try systemCall { address.withMutablePointer { getsockname(fd, $0, $1) } }
        return address
    }

    /// The address that a socket is connected to. The corresponding C function is `getpeername`.
    package static func peerAddress(_ fd: CInt) throws(Errno) -> KernelAddress {
        var address = KernelAddress()
        try systemCall { address.withMutablePointer { getpeername(fd, $0, $1) } }
        return address
    }

    /// Reads what is there, without waiting. The corresponding C function is `recv` with `MSG_DONTWAIT`.
    ///
    /// - Parameter peek: leaves the bytes in the socket.
    /// - Returns: 0 at the end of the stream, `nil` when nothing is there yet.
    package static func receive(_ fd: CInt, into buffer: UnsafeMutableRawBufferPointer, peek: Bool = false)
        throws(Errno)
        -> Int?
    {
        let flags = CInt(MSG_DONTWAIT) | (peek ? CInt(MSG_PEEK) : 0)
        do throws(Errno) {
            return try systemCall { recv(fd, buffer.baseAddress, buffer.count, flags) }
        } catch {
            if error == .wouldBlock { return nil }
            throw error
        }
    }

    /// Writes without waiting and without SIGPIPE. The corresponding C function is `send`.
    package static func send(_ fd: CInt, _ data: [UInt8]) throws(Errno) -> Int {
        try systemCall { Glibc.send(fd, data, data.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)) }
    }

    /// The pending error of a socket, cleared by reading it (`SO_ERROR`); `nil` when there is none.
    package static func pendingError(_ fd: CInt) -> Errno? {
        guard let code = try? integer(SOL_SOCKET, SO_ERROR, of: fd), code != 0 else { return nil }
        return Errno(rawValue: code)
    }

    /// `SO_DOMAIN`, where it is IPv4 or IPv6 and the socket is TCP (`SO_PROTOCOL`); `nil` for every other descriptor.
    package static func family(_ fd: CInt) -> KernelAddress.Family? {
        guard let transport = try? integer(SOL_SOCKET, SO_PROTOCOL, of: fd), transport == CInt(IPPROTO_TCP),
            let domain = try? integer(SOL_SOCKET, SO_DOMAIN, of: fd)
        else { return nil }
        return KernelAddress.Family(rawValue: domain)
    }

    /// Whether `listen` was called (`SO_ACCEPTCONN`).
    package static func isListening(_ fd: CInt) -> Bool { (try? integer(SOL_SOCKET, SO_ACCEPTCONN, of: fd)) == 1 }

    /// Whether the SYN's data was taken by the other side (`TCPI_OPT_SYN_DATA` of `TCP_INFO`).
    package static func wasFastOpened(_ fd: CInt) -> Bool {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(fd, CInt(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return false }
        return info.tcpi_options & 32 != 0
    }

    /// The socket's identity. The corresponding option is `SO_COOKIE`.
    package static func cookie(_ fd: CInt) throws(Errno) -> SocketCookie {
        var cookie: UInt64 = 0
        try systemCall { slim_get_cookie(fd, SLIM_SO_COOKIE, &cookie) }
        return SocketCookie(rawValue: cookie)
    }

    /// Sends a reset instead of an orderly end when the descriptor is closed (`SO_LINGER` with time 0).
    package static func resetOnClose(_ fd: CInt) {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    /// Sets whether calls wait, of everybody who has the socket. The corresponding C function is `ioctl` with `FIONBIO`.
    package static func setNonblocking(_ fd: CInt, _ nonblocking: Bool) throws(Errno) {
        try systemCall { slim_set_nonblocking(fd, nonblocking ? 1 : 0) }
    }

    private static func integer(_ level: CInt, _ name: CInt, of fd: CInt) throws(Errno) -> CInt {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        try systemCall { getsockopt(fd, level, name, &value, &length) }
        return value
    }
}
