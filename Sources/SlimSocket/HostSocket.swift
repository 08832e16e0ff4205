import CSlimABI
import CSlimSocket

/// A socket of the host's namespace that stands at a descriptor of the application.
enum HostSocket {
    /// Whether a TCP socket lives in another namespace than the container's.
    ///
    /// Before the router has been heard, the namespace of a new socket stands for the container's.
    static func isHost(_ fd: CInt) -> Bool {
        let cookie = Kernel.cookie(fd, SLIM_SO_NETNS_COOKIE)
        guard cookie != 0 else { return false }
        let own = RouterLink.namespaceCookie
        return cookie != (own != 0 ? own : cookieOfNewSocket())
    }

    private static func cookieOfNewSocket() -> UInt64 {
        let fd = Kernel.quietly {
            slim_real_socket(
                SLIM_AF_UNIX, (SLIM_SOCK_SEQPACKET | SLIM_SOCK_CLOEXEC), 0)
        }
        guard fd >= 0 else { return 0 }
        defer { _ = Kernel.quietly { slim_close(fd) } }
        return Kernel.cookie(fd, SLIM_SO_NETNS_COOKIE)
    }

    /// The overlay addresses of a host socket, from memory or from the router, to which the socket itself is the proof.
    static func addresses(_ fd: CInt) -> (local: slim_address, peer: slim_address)? {
        let cookie = Kernel.cookie(fd)
        if let known = KnownSockets.find(cookie) { return known }
        guard let answer = RouterLink.ask(SLIM_OP_LOOKUP, passing: fd) else { return nil }
        answer.discard()
        guard answer.reply.verdict == SLIM_VERDICT_DONE.rawValue else { return nil }
        KnownSockets.store(cookie, local: answer.reply.local, peer: answer.reply.peer)
        return (answer.reply.local, answer.reply.peer)
    }

    /// Puts a new, unconnected socket of the container at a descriptor that held a host socket.
    static func giveBack(_ fd: CInt) -> Bool {
        guard let family = Kernel.socketOption(fd, SLIM_SO_DOMAIN), let flags = Kernel.statusFlags(fd) else { return false }
        let nonblocking = flags & SLIM_O_NONBLOCK
        let type = (SLIM_SOCK_STREAM | SLIM_SOCK_CLOEXEC) | nonblocking
        let fresh = slim_real_socket(family, type, SLIM_IPPROTO_TCP)
        return fresh >= 0 && Kernel.replace(fd, with: fresh)
    }
}
