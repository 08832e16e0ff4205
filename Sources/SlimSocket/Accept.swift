import CSlimABI
import CSlimSocket

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_accept4(
    _ fd: CInt, _ address: UnsafeMutableRawPointer?, _ length: UnsafeMutablePointer<UInt32>?, _ flags: CInt
) -> CInt {
    guard Sandbox.mayAccept, let channel = Channel(fd) else { return slim_real_accept4(fd, address, length, flags) }
    return accept(fd, from: channel, address, length, flags)
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_accept_plain(
    _ fd: CInt, _ address: UnsafeMutableRawPointer?, _ length: UnsafeMutablePointer<UInt32>?
) -> CInt {
    guard Sandbox.mayAccept, let channel = Channel(fd) else { return slim_real_accept(fd, address, length) }
    return accept(fd, from: channel, address, length, 0)
}

/// Takes one connection out of the channel: blocks, polls, times out and is cancelled as `accept` does.
private func accept(
    _ fd: CInt, from channel: Channel, _ address: UnsafeMutableRawPointer?, _ length: UnsafeMutablePointer<UInt32>?,
    _ flags: CInt
) -> CInt {
    let saved = slim_errno()
    guard flags & ~(SLIM_SOCK_NONBLOCK | SLIM_SOCK_CLOEXEC) == 0 else { return fail(SLIM_EINVAL) }
    if let address {
        guard let length, Kernel.isReadable(length, MemoryLayout<UInt32>.size), Kernel.isReadable(address, 1) else {
            return fail(SLIM_EFAULT)
        }
        guard CInt(bitPattern: length.pointee) >= 0 else { return fail(SLIM_EINVAL) }
    }
    // As the kernel does: a connection that the descriptor table has no room for stays where it is.
    guard Kernel.hasRoom(besides: fd) else { return fail(SLIM_EMFILE) }
    let closeOnExec = flags & SLIM_SOCK_CLOEXEC != 0
    while true {
        var message = slim_accept()
        var connection: CInt = -1
        let count = slim_receive(
            fd, &message, MemoryLayout<slim_accept>.size, &connection,
            closeOnExec ? SLIM_MSG_CMSG_CLOEXEC : 0)
        // The channel's end is also told as a reset, by what is left unread at the other end.
        let hasEnded = count == 0 || count < 0 && slim_errno() == SLIM_ECONNRESET
        if count < 0, !hasEnded { return -1 }
        if hasEnded {
            // An empty message can have a descriptor too.
            if connection >= 0 { _ = Kernel.quietly { slim_close(connection) } }
            Channel.waitForRestoration()
            guard let current = Channel(fd) else { return slim_real_accept4(fd, address, length, flags) }
            guard Sandbox.mayAsk, current.silence(fd) else { return fail(SLIM_EMFILE) }
            Log.debug("accept", fd, "the router has ended this listener")
            continue
        }
        guard count == MemoryLayout<slim_accept>.size, message.header.magic == UInt32(SLIM_ABI_MAGIC) else {
            if connection >= 0 { _ = Kernel.quietly { slim_close(connection) } }
            continue
        }
        // The descriptor table was full: the kernel has dropped the connection, and its peer sees a reset.
        guard connection >= 0 else { return fail(SLIM_EMFILE) }
        if flags & SLIM_SOCK_NONBLOCK != 0 {
            let status = (SLIM_O_RDWR | SLIM_O_NONBLOCK)
            _ = Kernel.quietly { slim_fcntl(connection, SLIM_F_SETFL, status) }
        }
        if message.header.flags & SLIM_ACCEPT_HOST.rawValue != 0 {
            KnownSockets.store(message.cookie, local: message.local, peer: message.peer)
        }
        if let address, let length {
            SocketAddress.encode(message.peer, family: channel.family, into: address, length: length)
        }
        slim_set_errno(saved)
        return connection
    }
}
