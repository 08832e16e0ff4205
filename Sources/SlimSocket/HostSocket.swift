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
        let heard = RouterLink.namespaceCookie
        let own = heard != 0 ? heard : cookieOfNewSocket()
        // With a full descriptor table there is no new socket to compare with.
        return own != 0 && cookie != own
    }

    /// Whether a socket is a host socket that this process was given. To a program that has moved to another namespace
    /// sockets of that one are strangers too.
    static func wasHandedOver(_ fd: CInt) -> Bool { isHost(fd) && KnownSockets.find(Kernel.cookie(fd)) != nil }

    private static func cookieOfNewSocket() -> UInt64 {
        guard Sandbox.mayAsk else { return 0 }
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

    /// Puts a new, unconnected socket of the container, with the options of the old one, at a descriptor that held a
    /// host socket.
    static func giveBack(_ fd: CInt) -> Bool {
        guard let family = Kernel.socketOption(fd, SLIM_SO_DOMAIN), let flags = Kernel.statusFlags(fd) else {
            return false
        }
        let nonblocking = flags & SLIM_O_NONBLOCK
        let type = (SLIM_SOCK_STREAM | SLIM_SOCK_CLOEXEC) | nonblocking
        let fresh = slim_real_socket(family, type, SLIM_IPPROTO_TCP)
        guard fresh >= 0 else { return false }
        Options.keep(from: fd, on: fresh)
        return Kernel.replace(fd, with: fresh)
    }

    /// What `connect` answers on a host socket whose connection is closed; `EINVAL` when a new one may be made.
    ///
    /// The kernel is asked with an address too short to connect to: it tells what became of the last connection first.
    static func closedConnect(_ fd: CInt) -> CInt {
        var family = UInt16(truncatingIfNeeded: Kernel.socketOption(fd, SLIM_SO_DOMAIN) ?? SLIM_AF_INET)
        let saved = slim_errno()
        let result = slim_real_connect(fd, &family, UInt32(MemoryLayout<UInt16>.size))
        let code = slim_errno()
        slim_set_errno(saved)
        return result == 0 ? SLIM_EISCONN : code
    }
}
