import CSlimABI
import CSlimSocket

@c @implementation
public func slim_listen(_ fd: CInt, _ backlog: CInt) -> CInt {
    let result = slim_real_listen(fd, backlog)
    guard result == 0 else {
        // Listening again on a channel only changes the backlog, which is the router's affair.
        if slim_errno() == SLIM_EINVAL || slim_errno() == SLIM_EOPNOTSUPP,
            Channel(fd) != nil
        {
            return 0
        }
        return result
    }
    guard slim_listen_plain() == 0, Kernel.isTCP(fd), isReachable(fd), let flags = Kernel.statusFlags(fd),
        flags & SLIM_O_ASYNC == 0
    else { return 0 }
    guard let answer = RouterLink.ask(SLIM_OP_LISTEN, passing: fd) else { return 0 }
    guard answer.reply.verdict == SLIM_VERDICT_DONE.rawValue, answer.descriptor >= 0 else {
        answer.discard()
        return 0
    }
    let channel = answer.descriptor
    Options.copyTimeout(from: fd, to: channel)
    if flags & SLIM_O_NONBLOCK != 0 {
        _ = Kernel.quietly {
            slim_fcntl(channel, SLIM_F_SETFL, (SLIM_O_RDWR | SLIM_O_NONBLOCK))
        }
    }
    if Kernel.replace(fd, with: channel) { Log.debug("listen", fd, "accept channel") }
    return 0
}

/// Whether other containers can reach a listener: one on loopback, or on an address outside the overlay, stays plain.
private func isReachable(_ fd: CInt) -> Bool {
    var result = false
    withUnsafeTemporaryAllocation(byteCount: 28, alignment: 8) { buffer in
        var length: UInt32 = 28
        let code = Kernel.quietly { slim_real_getsockname(fd, buffer.baseAddress, &length) }
        guard code == 0, let address = SocketAddress.decode(UnsafeRawPointer(buffer.baseAddress!), length: length) else {
            return
        }
        result = address.isUnspecified || (!address.isLoopback && RouterLink.isOverlay(address) != false)
    }
    return result
}

@c @implementation
public func slim_bind(_ fd: CInt, _ address: UnsafeRawPointer?, _ length: UInt32) -> CInt {
    let result = slim_real_bind(fd, address, length)
    guard result != 0, slim_errno() == SLIM_EADDRINUSE, Kernel.isTCP(fd),
        let answer = RouterLink.ask(SLIM_OP_REAP)
    else { return result }
    // The port may be held by a listener that was closed a moment ago and that the router has only now let go.
    answer.discard()
    return slim_real_bind(fd, address, length)
}

@c @implementation
public func slim_shutdown(_ fd: CInt, _ how: CInt) -> CInt {
    guard Channel(fd) != nil else { return slim_real_shutdown(fd, how) }
    if how == SLIM_SHUT_WR { return 0 }
    let saved = slim_errno()
    let channel = slim_fcntl(fd, SLIM_F_DUPFD_CLOEXEC, 0)
    guard channel >= 0 else { return -1 }
    defer { _ = Kernel.quietly { slim_close(channel) } }
    if let original = Channel.original(fd, flags: SLIM_REQUEST_RELEASE.rawValue) {
        let flags = (Kernel.statusFlags(channel) ?? 0) & SLIM_O_NONBLOCK
        _ = Kernel.quietly { slim_fcntl(original, SLIM_F_SETFL, SLIM_O_RDWR | flags) }
        _ = Kernel.replace(fd, with: original)
        // Whoever waits in accept() on the channel wakes, finds the listening socket there, and learns the truth.
        _ = slim_real_shutdown(channel, SLIM_SHUT_RDWR)
        slim_set_errno(saved)
        return slim_real_shutdown(fd, how)
    }
    return slim_real_shutdown(channel, SLIM_SHUT_RDWR)
}
