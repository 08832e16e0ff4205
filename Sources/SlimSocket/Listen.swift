import CSlimABI
import CSlimSocket

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_listen(_ fd: CInt, _ backlog: CInt) -> CInt {
    let saved = slim_errno()
    guard Sandbox.mayAsk else { return slim_real_listen(fd, backlog) }
    guard Kernel.isTCP(fd) else {
        let result = slim_real_listen(fd, backlog)
        // Listening again on a channel only changes the backlog, which is the router's affair.
        guard result != 0, Options.channel(fd) != nil else { return result }
        slim_set_errno(saved)
        return 0
    }
    PristineSockets.remove(fd)
    if HostSocket.wasHandedOver(fd) {
        guard Kernel.isClosed(fd), HostSocket.closedConnect(fd) == SLIM_EINVAL else { return fail(SLIM_EINVAL) }
        guard HostSocket.giveBack(fd) else { return -1 }
    }
    let result = onceFree { slim_real_listen(fd, backlog) }
    guard result == 0 else { return result }
    slim_set_errno(saved)
    guard slim_listen_plain() == 0, isReachable(fd), let flags = Kernel.statusFlags(fd), flags & SLIM_O_ASYNC == 0,
        Kernel.hasRoom(besides: fd)
    else { return 0 }
    let request = slim_joins() != 0 ? SLIM_REQUEST_JOIN.rawValue : 0
    guard let answer = RouterLink.ask(SLIM_OP_LISTEN, flags: request, passing: fd) else { return 0 }
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
    if Kernel.replace(fd, with: channel) {
        Sandbox.noteChannel(fd)
        Log.debug("listen", fd, "accept channel")
    }
    return 0
}

/// Whether other containers can reach a listener: one on loopback, or on an address outside the overlay, stays plain.
private func isReachable(_ fd: CInt) -> Bool {
    var name = slim_bytes()
    var length = UInt32(MemoryLayout<slim_bytes>.size)
    let code = Kernel.quietly { slim_real_getsockname(fd, &name, &length) }
    guard code == 0, let address = SocketAddress.decode(&name, length: length) else { return false }
    return address.isUnspecified || (!address.isLoopback && RouterLink.isOverlay(address) != false)
}

/// Makes a call, and again where an address is in use that may be that of a listener closed a moment ago.
///
/// The router is asked to let it go. While there is none its keeper does, without being asked and within a moment; a
/// router that starts does when it serves again, which a program that had a router waits for.
private func onceFree(_ call: () -> CInt) -> CInt {
    var result = call()
    let moments = RouterLink.namespaceCookie == 0 ? 100 : 3000
    for moment in 0...moments {
        guard result != 0, slim_errno() == SLIM_EADDRINUSE else { return result }
        // Asking costs more than looking.
        if moment % 20 == 0, let answer = RouterLink.ask(SLIM_OP_REAP) {
            answer.discard()
            // One that has only just started does not know yet.
            if answer.reply.verdict == SLIM_VERDICT_DONE.rawValue { return call() }
        }
        Kernel.quietly { slim_nap() }
        result = call()
    }
    return result
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_bind(_ fd: CInt, _ address: UnsafeRawPointer?, _ length: UInt32) -> CInt {
    let saved = slim_errno()
    guard Sandbox.mayAsk, Kernel.isTCP(fd) else { return slim_real_bind(fd, address, length) }
    PristineSockets.remove(fd)
    if HostSocket.wasHandedOver(fd) {
        // What a socket is bound to once its connection has ended belongs to the container.
        guard Kernel.isClosed(fd) else { return fail(SLIM_EINVAL) }
        guard HostSocket.giveBack(fd) else { return -1 }
    }
    let result = onceFree { slim_real_bind(fd, address, length) }
    if result == 0 { slim_set_errno(saved) }
    return result
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_shutdown(_ fd: CInt, _ how: CInt) -> CInt {
    guard Sandbox.mayAsk, Options.channel(fd) != nil else { return slim_real_shutdown(fd, how) }
    guard how != SLIM_SHUT_WR else { return 0 }
    guard how == SLIM_SHUT_RD || how == SLIM_SHUT_RDWR else { return fail(SLIM_EINVAL) }
    return Channel.takeBack(fd) ? slim_real_shutdown(fd, how) : 0
}
