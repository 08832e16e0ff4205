import CSlimABI
import CSlimSocket

@c @implementation
public func slim_connect(_ fd: CInt, _ address: UnsafeRawPointer?, _ length: UInt32) -> CInt {
    let family = SocketAddress.family(address, length)
    if family == SLIM_AF_UNSPEC {
        guard Kernel.isTCP(fd), HostSocket.isHost(fd) else { return slim_real_connect(fd, address, length) }
        return HostSocket.giveBack(fd) ? 0 : -1
    }
    guard let address, family == SLIM_AF_INET || family == SLIM_AF_INET6,
        Kernel.isTCP(fd)
    else { return slim_real_connect(fd, address, length) }

    if HostSocket.isHost(fd) {
        // Under way or connected: the kernel knows what to answer, and waits where the call must wait.
        guard Kernel.isClosed(fd) else { return slim_real_connect(fd, address, length) }
        if let code = Kernel.socketOption(fd, SLIM_SO_ERROR), code != 0 {
            slim_set_errno(code)
            return -1
        }
        guard HostSocket.giveBack(fd) else { return -1 }
    } else if !Kernel.isClosed(fd) {
        // Connecting by the packet overlay, connected, or listening: the kernel knows what to answer.
        return slim_real_connect(fd, address, length)
    }
    guard let destination = SocketAddress.decode(address, length: length), destination.port != 0,
        !destination.isLoopback, !destination.isUnspecified, RouterLink.isOverlay(destination) != false
    else { return slim_real_connect(fd, address, length) }
    return connectThroughRouter(fd, address, length, destination)
}

/// Asks the router for a host socket that is already connecting, and waits for it as the kernel does.
private func connectThroughRouter(
    _ fd: CInt, _ address: UnsafeRawPointer, _ length: UInt32, _ destination: slim_address
) -> CInt {
    // Signals on readiness (O_ASYNC) are set up on the open file, which is about to change: leave those alone.
    guard let flags = Kernel.statusFlags(fd), flags & SLIM_O_ASYNC == 0 else {
        return slim_real_connect(fd, address, length)
    }
    let isNonblocking = flags & SLIM_O_NONBLOCK != 0
    let cookie = Kernel.cookie(fd)
    var request: UInt32 = isNonblocking ? SLIM_REQUEST_NONBLOCK.rawValue : 0
    if PristineSockets.contains(cookie) { request |= SLIM_REQUEST_PRISTINE.rawValue }

    guard let answer = RouterLink.ask(SLIM_OP_CONNECT, flags: request, destination: destination, passing: fd) else {
        Log.debug("connect", fd, "no router, plain call")
        return slim_real_connect(fd, address, length)
    }
    switch slim_verdict(answer.reply.verdict) {
    case SLIM_VERDICT_DONE where answer.descriptor >= 0:
        // Another thread may have closed the descriptor meanwhile; its number is then no longer ours to fill.
        guard Kernel.cookie(fd) == cookie else {
            answer.discard()
            return fail(SLIM_EBADF)
        }
        KnownSockets.store(answer.reply.cookie, local: answer.reply.local, peer: answer.reply.peer)
        guard Kernel.replace(fd, with: answer.descriptor) else { return slim_real_connect(fd, address, length) }
        Log.debug("connect", fd, "host socket")
        return isNonblocking ? fail(SLIM_EINPROGRESS) : slim_real_connect(fd, address, length)
    case SLIM_VERDICT_REFUSED:
        answer.discard()
        Log.debug("connect", fd, "refused by the router")
        slim_set_errno(answer.reply.error)
        return -1
    default:
        answer.discard()
        Log.debug("connect", fd, "by the packet overlay")
        return slim_real_connect(fd, address, length)
    }
}
