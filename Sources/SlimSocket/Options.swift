import CSlimSocket

/// Options of accept channels: answered as the listening socket behind the channel would.
enum Options {
    /// `SO_RCVTIMEO` limits how long `accept` waits.
    static func copyTimeout(from fd: CInt, to channel: CInt) {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { timeout in
            var length: UInt32 = 16
            let socket = SLIM_SOL_SOCKET
            let option = SLIM_SO_RCVTIMEO
            let bytes = timeout.baseAddress!
            guard Kernel.quietly({ slim_real_getsockopt(fd, socket, option, bytes, &length) }) == 0, length == 16,
                bytes.load(as: UInt64.self) | bytes.load(fromByteOffset: 8, as: UInt64.self) != 0
            else { return }
            _ = Kernel.quietly { slim_real_setsockopt(channel, socket, option, bytes, length) }
        }
    }

    /// What a channel says of itself without asking anybody.
    static func constant(_ channel: Channel, level: CInt, option: CInt) -> CInt? {
        guard level == SLIM_SOL_SOCKET else { return nil }
        return switch option {
        case SLIM_SO_DOMAIN: channel.family
        case SLIM_SO_TYPE: SLIM_SOCK_STREAM
        case SLIM_SO_PROTOCOL: SLIM_IPPROTO_TCP
        case SLIM_SO_ACCEPTCONN: 1
        case SLIM_SO_ERROR: 0
        default: nil
        }
    }

    /// A channel behind a descriptor; the cheap question first, since most descriptors are none.
    static func channel(_ fd: CInt) -> Channel? {
        Kernel.socketOption(fd, SLIM_SO_DOMAIN) == SLIM_AF_UNIX ? Channel(fd) : nil
    }
}

@c @implementation
public func slim_getsockopt(
    _ fd: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeMutableRawPointer?,
    _ length: UnsafeMutablePointer<UInt32>?
) -> CInt {
    guard let value, let length, let channel = Options.channel(fd) else {
        return slim_real_getsockopt(fd, level, option, value, length)
    }
    if let constant = Options.constant(channel, level: level, option: option) {
        guard CInt(bitPattern: length.pointee) >= 0 else { return fail(SLIM_EINVAL) }
        let count = min(Int(length.pointee), MemoryLayout<CInt>.size)
        withUnsafeBytes(of: constant) { value.copyMemory(from: $0.baseAddress!, byteCount: count) }
        length.pointee = UInt32(count)
        return 0
    }
    guard let original = Channel.original(fd) else {
        return slim_real_getsockopt(fd, level, option, value, length)
    }
    defer { _ = Kernel.quietly { slim_close(original) } }
    return slim_real_getsockopt(original, level, option, value, length)
}

@c @implementation
public func slim_setsockopt(
    _ fd: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeRawPointer?, _ length: UInt32
) -> CInt {
    let domain = Kernel.socketOption(fd, SLIM_SO_DOMAIN)
    guard domain == SLIM_AF_UNIX, Channel(fd) != nil else {
        if domain == SLIM_AF_INET || domain == SLIM_AF_INET6 {
            PristineSockets.remove(Kernel.cookie(fd))
        }
        return slim_real_setsockopt(fd, level, option, value, length)
    }
    let isTimeout = level == SLIM_SOL_SOCKET && option == SLIM_SO_RCVTIMEO
    if isTimeout {
        let result = slim_real_setsockopt(fd, level, option, value, length)
        if result != 0 { return result }
    }
    // Without a router the listening socket is out of reach, and its options do not matter until there is one.
    guard let original = Channel.original(fd) else { return 0 }
    defer { _ = Kernel.quietly { slim_close(original) } }
    let result = slim_real_setsockopt(original, level, option, value, length)
    if result == 0, let again = Channel.original(fd, flags: SLIM_REQUEST_CHANGED.rawValue) {
        _ = Kernel.quietly { slim_close(again) }
    }
    return result
}
