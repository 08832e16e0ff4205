import CSlimABI
import CSlimSocket

/// The accept channel that stands at the descriptor of a listening socket: one end of a SOCK_SEQPACKET pair.
///
/// It is recognised by the name of its other end, so that any process that comes to hold it (fork, exec, SCM_RIGHTS)
/// knows what it is, with the router dead as well.
struct Channel {
    /// The listener's address; its family is the listening socket's.
    let address: slim_address

    var family: CInt { CInt(address.family) }

    /// - Returns: `nil` for every other descriptor. Costs one system call; changes no errno.
    init?(_ fd: CInt) {
        var name = slim_bytes()
        var length = UInt32(MemoryLayout<slim_bytes>.size)
        let code = Kernel.quietly { slim_real_getpeername(fd, &name, &length) }
        guard code == 0, let found = withUnsafeBytes(of: &name, { Self.address(in: $0[..<Int(length)]) }) else {
            return nil
        }
        address = found
    }

    /// The listening socket behind the channel: the application's own, of its own namespace. The caller closes it.
    static func original(_ fd: CInt, flags: UInt32 = 0) -> CInt? {
        guard let answer = RouterLink.ask(SLIM_OP_ORIGINAL, flags: flags, passing: fd) else { return nil }
        guard answer.reply.verdict == SLIM_VERDICT_DONE.rawValue, answer.descriptor >= 0 else {
            answer.discard()
            return nil
        }
        return answer.descriptor
    }

    /// Puts the listening socket back at the descriptor of its channel, and ends what the router did for it.
    ///
    /// - Returns: `false` when no router answers; the channel is then shut down.
    static func takeBack(_ fd: CInt) -> Bool {
        if let state = slim_link_state() { slim_add32(&state.pointee.restoring, 1) }
        defer { if let state = slim_link_state() { slim_add32(&state.pointee.restoring, UInt32.max) } }
        let channel = Kernel.quietly { slim_fcntl(fd, SLIM_F_DUPFD_CLOEXEC, 0) }
        // With a full descriptor table the listening socket cannot be received.
        guard channel >= 0, let original = original(fd, flags: SLIM_REQUEST_RELEASE.rawValue) else {
            _ = Kernel.quietly { slim_real_shutdown(fd, SLIM_SHUT_RDWR) }
            _ = Kernel.quietly { slim_close(channel) }
            return false
        }
        let flags = (Kernel.statusFlags(channel) ?? 0) & SLIM_O_NONBLOCK
        _ = Kernel.quietly { slim_fcntl(original, SLIM_F_SETFL, SLIM_O_RDWR | flags) }
        let done = Kernel.replace(fd, with: original)
        // Whoever waits in accept() on the channel wakes, finds the listening socket there, and learns the truth.
        _ = Kernel.quietly { slim_real_shutdown(channel, SLIM_SHUT_RDWR) }
        _ = Kernel.quietly { slim_close(channel) }
        return done
    }

    /// Waits for a thread that is taking a listener back: the channel may have ended for that reason.
    static func waitForRestoration() {
        guard let state = slim_link_state() else { return }
        // The limit is for a signal handler that has interrupted that very thread.
        for _ in 0..<100 where slim_load32(&state.pointee.restoring) != 0 { Kernel.quietly(slim_nap) }
    }

    /// Replaces a channel whose other end is gone for good by one on which nothing ever happens: a server that polls
    /// it then sleeps instead of spinning on the end of file.
    func silence(_ fd: CInt) -> Bool {
        var pair: (CInt, CInt) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &pair) { slim_pair($0.bindMemory(to: CInt.self).baseAddress) }
        guard made == 0 else { return false }
        let flags = Kernel.statusFlags(fd) ?? 0
        var name = slim_bytes()
        withUnsafeMutableBytes(of: &name) { bytes in
            Self.write(number: Kernel.cookie(pair.1), address, into: bytes)
            let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = Kernel.quietly { slim_name(pair.1, text, Int(SLIM_CHANNEL_NAME_LENGTH)) }
        }
        _ = slim_fcntl(pair.0, SLIM_F_SETFL, flags & SLIM_O_NONBLOCK)
        // pair.1 stays open for the life of the process: it is the other end that never says anything.
        return Kernel.replace(fd, with: pair.0)
    }
}
