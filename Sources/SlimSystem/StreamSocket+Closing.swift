internal import Glibc

extension StreamSocket {
    /// Has a listening socket refuse connections from now on; its port stays bound. The corresponding C function is `shutdown`.
    package static func stopListening(_ fd: CInt) { _ = shutdown(fd, CInt(SHUT_RDWR)) }

    /// Whether a TCP socket can be closed without waiting for anybody: it is unconnected or listens (`TCP_INFO`), or does
    /// not linger (`SO_LINGER`).
    package static func closesAtOnce(_ fd: CInt) -> Bool {
        // `tcp_info` begins with the state, one byte.
        var state: UInt8 = 0
        var length: socklen_t = 1
        guard getsockopt(fd, CInt(IPPROTO_TCP), TCP_INFO, &state, &length) == 0 else { return false }
        if Int(state) == TCP_CLOSE || Int(state) == TCP_LISTEN { return true }
        var lingering = linger()
        length = socklen_t(MemoryLayout<linger>.size)
        return getsockopt(fd, SOL_SOCKET, SO_LINGER, &lingering, &length) == 0 && lingering.l_onoff == 0
    }
}
