import CSlimABI
import CSlimSocket

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_connect(_ fd: CInt, _ address: UnsafeRawPointer?, _ length: UInt32) -> CInt {
    guard Sandbox.mayAsk, let address, length <= UInt32(MemoryLayout<slim_bytes>.size),
        Kernel.isReadable(address, Int(length)),
        let family = SocketAddress.family(address, length),
        family == SLIM_AF_INET || family == SLIM_AF_INET6 || family == SLIM_AF_UNSPEC
    else { return slim_real_connect(fd, address, length) }
    var cookie = Kernel.cookie(fd)
    if let changes = PristineSockets.take(cookie, family: family), let destination = eligible(address, length),
        !destination.isMapped || isDualStack(fd)
    {
        return connectThroughRouter(fd, cookie, address, length, destination, changes)
    }
    guard Kernel.isTCP(fd) else {
        guard Options.channel(fd) != nil else { return slim_real_connect(fd, address, length) }
        // A listening socket does not connect, but AF_UNSPEC ends its listening.
        guard family == SLIM_AF_UNSPEC else { return fail(SLIM_EISCONN) }
        return Channel.takeBack(fd) ? slim_real_connect(fd, address, length) : 0
    }
    if family == SLIM_AF_UNSPEC {
        guard HostSocket.isHost(fd) else { return slim_real_connect(fd, address, length) }
        return HostSocket.giveBack(fd) ? 0 : -1
    }
    if HostSocket.isHost(fd) {
        // Under way or connected: the kernel knows what to answer, and waits where the call must wait.
        guard Kernel.isClosed(fd) else { return slim_real_connect(fd, address, length) }
        let code = HostSocket.closedConnect(fd)
        guard code == SLIM_EINVAL else { return fail(code) }
        guard HostSocket.giveBack(fd) else { return -1 }
        cookie = Kernel.cookie(fd)
    } else if !Kernel.isClosed(fd) {
        // Connecting by the packet overlay, connected, or listening: the kernel knows what to answer.
        return slim_real_connect(fd, address, length)
    }
    guard let destination = eligible(address, length), canReach(fd, destination) else {
        return slim_real_connect(fd, address, length)
    }
    return connectThroughRouter(fd, cookie, address, length, destination, nil)
}

/// The destination, if the router is to be asked about it: in the overlay, or possibly so.
private func eligible(_ address: UnsafeRawPointer, _ length: UInt32) -> slim_address? {
    guard let destination = SocketAddress.decode(address, length: length), destination.port != 0,
        !destination.isLoopback, !destination.isUnspecified, RouterLink.isOverlay(destination) != false
    else { return nil }
    return destination
}

/// Waits for a connection that is under way, as the first `connect` does: beyond SO_SNDTIMEO it is in progress, to the
/// kernel, which has seen it begin, "already" so.
///
/// The host's stack gives up at once when it has no way to the other host; the packet overlay, which cannot know, goes on.
private func wait(_ fd: CInt, _ address: UnsafeRawPointer, _ length: UInt32) -> CInt {
    let result = slim_real_connect(fd, address, length)
    guard result != 0 else { return result }
    switch slim_errno() {
    case SLIM_EALREADY:
        slim_set_errno(SLIM_EINPROGRESS)
        return result
    case SLIM_EHOSTUNREACH, SLIM_ENETUNREACH:
        guard HostSocket.giveBack(fd) else { return result }
        Log.debug("connect", fd, "no way between the hosts, by the packet overlay")
        return slim_real_connect(fd, address, length)
    default: return result
    }
}

/// Whether the kernel would let the socket try: it has the address's family, and is not for IPv6 alone.
private func canReach(_ fd: CInt, _ destination: slim_address) -> Bool {
    guard Kernel.socketOption(fd, SLIM_SO_DOMAIN) == CInt(destination.family) else { return false }
    return !destination.isMapped || isDualStack(fd)
}

private func isDualStack(_ fd: CInt) -> Bool { Kernel.option(fd, SLIM_IPPROTO_IPV6, SLIM_IPV6_V6ONLY) == 0 }

/// Asks the router for a host socket that is already connecting, and waits for it as the kernel does.
///
/// - Parameter changes: what was changed on a socket that is pristine otherwise; `nil` for any other.
private func connectThroughRouter(
    _ fd: CInt, _ cookie: UInt64, _ address: UnsafeRawPointer, _ length: UInt32, _ destination: slim_address,
    _ changes: PristineSockets.Changes?
) -> CInt {
    // Signals on readiness (O_ASYNC) are set up on the open file, which is about to change: leave those alone.
    guard let flags = Kernel.statusFlags(fd), flags & SLIM_O_ASYNC == 0 else {
        return slim_real_connect(fd, address, length)
    }
    let isNonblocking = flags & SLIM_O_NONBLOCK != 0
    let isPristine = changes != nil
    let queue = isPristine ? PreparedConnections.queue(for: destination) : nil
    if let queue, let prepared = queue.take(isNonblocking: isNonblocking) {
        guard prepared.replace(fd, cookie, changes ?? 0) else { return fail(SLIM_EBADF) }
        Log.debug("connect", fd, "prepared host socket")
        return isNonblocking ? fail(SLIM_EINPROGRESS) : wait(fd, address, length)
    }
    // With a full descriptor table no answer can be received.
    guard Kernel.hasRoom(besides: fd) else { return slim_real_connect(fd, address, length) }
    var request: UInt32 = isNonblocking ? SLIM_REQUEST_NONBLOCK.rawValue : 0
    if slim_joins() != 0 { request |= SLIM_REQUEST_JOIN.rawValue }
    if isPristine { request |= SLIM_REQUEST_PRISTINE.rawValue }
    if isPristine, queue == nil { request |= SLIM_REQUEST_QUEUE.rawValue }
    if isPristine, destination.family == UInt16(SLIM_AF_INET6) { request |= SLIM_REQUEST_V6.rawValue }

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
        if answer.queue >= 0 { PreparedConnections.add(answer.queue, for: destination) }
        Options.carry(changes ?? 0, from: fd, to: answer.descriptor)
        guard Kernel.replace(fd, with: answer.descriptor) else { return slim_real_connect(fd, address, length) }
        Log.debug("connect", fd, "host socket")
        return isNonblocking ? fail(SLIM_EINPROGRESS) : wait(fd, address, length)
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
