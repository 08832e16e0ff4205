internal import Glibc

extension StreamSocket {
    /// Whether a TCP socket can be closed without waiting for anybody, whatever its SO_LINGER says: it is unconnected, or
    /// listens (`TCP_INFO`).
    package static func closesAtOnce(_ fd: CInt) -> Bool {
        // `tcp_info` begins with the state, one byte.
        var state: UInt8 = 0
        var length: socklen_t = 1
        guard getsockopt(fd, CInt(IPPROTO_TCP), TCP_INFO, &state, &length) == 0 else { return false }
        return Int(state) == TCP_CLOSE || Int(state) == TCP_LISTEN
    }
}
