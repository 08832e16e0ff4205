import CSlimABI
import CSlimSocket

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_getpeername(
    _ fd: CInt, _ address: UnsafeMutableRawPointer?, _ length: UnsafeMutablePointer<UInt32>?
) -> CInt {
    guard Sandbox.mayLook, let address, let length else { return slim_real_getpeername(fd, address, length) }
    return name(fd, address, length, slim_real_getpeername, host: { $0.peer }, isPeer: true)
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_getsockname(
    _ fd: CInt, _ address: UnsafeMutableRawPointer?, _ length: UnsafeMutablePointer<UInt32>?
) -> CInt {
    guard Sandbox.mayLook, let address, let length else { return slim_real_getsockname(fd, address, length) }
    return name(fd, address, length, slim_real_getsockname, host: { $0.local }, isPeer: false)
}

/// Answers with overlay addresses where the kernel would tell the host's, or the channel's.
private func name(
    _ fd: CInt, _ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>,
    _ real: (CInt, UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>?) -> CInt,
    host: ((local: slim_address, peer: slim_address)) -> slim_address, isPeer: Bool
) -> CInt {
    guard Kernel.isReadable(length, MemoryLayout<UInt32>.size) else { return fail(SLIM_EFAULT) }
    var room = length.pointee
    let result = real(fd, address, length)
    guard result == 0 else { return result }
    let family = room >= 2 ? CInt(address.loadUnaligned(as: UInt16.self)) : Kernel.socketOption(fd, SLIM_SO_DOMAIN)
    switch family {
    case SLIM_AF_INET, SLIM_AF_INET6:
        guard Kernel.isTCP(fd), HostSocket.isHost(fd), let addresses = HostSocket.addresses(fd) else { return result }
        SocketAddress.encode(host(addresses), family: family ?? SLIM_AF_INET, into: address, length: &room)
        length.pointee = room
    case SLIM_AF_UNIX:
        guard let channel = Channel(fd) else { return result }
        // A listening socket has no peer.
        if isPeer { return fail(SLIM_ENOTCONN) }
        SocketAddress.encode(channel.address, family: channel.family, into: address, length: &room)
        length.pointee = room
    default:
        break
    }
    return result
}
