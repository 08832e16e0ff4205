import CSlimSocket

/// Options of accept channels: answered as the listening socket behind the channel would.
enum Options {
    /// `SO_RCVTIMEO` limits how long `accept` waits.
    static func copyTimeout(from fd: CInt, to channel: CInt) {
        copy(slim_option(level: SLIM_SOL_SOCKET, name: SLIM_SO_RCVTIMEO), from: fd, to: channel)
    }

    /// Sets on a new socket what the application has set on the one that it replaces.
    static func keep(from fd: CInt, on fresh: CInt) {
        var count = 0
        if let kept = slim_kept_options(&count) {
            for index in 0..<count { copy(kept[index], from: fd, to: fresh) }
        }
        // Buffers grow by themselves: only those count that the application has fixed.
        guard let locked = Kernel.socketOption(fd, SLIM_SO_BUF_LOCK) else { return }
        if locked & 1 != 0 { copyBuffer(SLIM_SO_SNDBUF, from: fd, to: fresh) }
        if locked & 2 != 0 { copyBuffer(SLIM_SO_RCVBUF, from: fd, to: fresh) }
    }

    /// Whether an option means something to `bind` only, or, as `IPV6_V6ONLY`, where the kernel is asked for it.
    static func isForBind(level: CInt, name: CInt) -> Bool {
        level == SLIM_SOL_SOCKET
            ? name == SLIM_SO_REUSEADDR || name == SLIM_SO_REUSEPORT
            : level == SLIM_IPPROTO_IPV6 && name == SLIM_IPV6_V6ONLY
    }

    /// Which of the options that `carry` takes over this is; `nil` when it is none.
    static func carriedIndex(level: CInt, name: CInt) -> Int? {
        var count = 0
        guard let kept = slim_kept_options(&count) else { return nil }
        for index in 0..<Int(SLIM_CARRIED_OPTIONS) where kept[index].level == level && kept[index].name == name {
            return index
        }
        return nil
    }

    /// Sets what the application has changed on its socket on one that is connecting in its place.
    static func carry(_ changes: PristineSockets.Changes, from fd: CInt, to other: CInt) {
        var count = 0
        guard changes != 0, let kept = slim_kept_options(&count) else { return }
        for index in 0..<Int(SLIM_CARRIED_OPTIONS) where changes & 1 << UInt64(index) != 0 {
            guard let (value, length) = read(kept[index], of: fd) else { continue }
            var bytes = value
            _ = Kernel.quietly {
                slim_real_setsockopt(other, kept[index].level, kept[index].name, &bytes, length)
            }
        }
    }

    private static func copyBuffer(_ name: CInt, from fd: CInt, to other: CInt) {
        guard let doubled = Kernel.socketOption(fd, name) else { return }
        var bytes = doubled / 2
        _ = Kernel.quietly {
            slim_real_setsockopt(other, SLIM_SOL_SOCKET, name, &bytes, UInt32(MemoryLayout<CInt>.size))
        }
    }

    private static func copy(_ option: slim_option, from fd: CInt, to other: CInt) {
        guard let (value, length) = read(option, of: fd), let (standard, _) = read(option, of: other),
            !areEqual(value, standard)
        else { return }
        var bytes = value
        _ = Kernel.quietly { slim_real_setsockopt(other, option.level, option.name, &bytes, length) }
    }

    private static func read(_ option: slim_option, of fd: CInt) -> (slim_bytes, UInt32)? {
        var value = slim_bytes()
        var length: UInt32 = 16
        let code = Kernel.quietly { slim_real_getsockopt(fd, option.level, option.name, &value, &length) }
        return code == 0 ? (value, length) : nil
    }

    private static func areEqual(_ a: slim_bytes, _ b: slim_bytes) -> Bool {
        withUnsafeBytes(of: a) { a in
            withUnsafeBytes(of: b) { b in
                for index in 0..<16 where a[index] != b[index] { return false }
                return true
            }
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

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_getsockopt(
    _ fd: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeMutableRawPointer?,
    _ length: UnsafeMutablePointer<UInt32>?
) -> CInt {
    guard Sandbox.mayLook, let value, let length, let channel = Options.channel(fd) else {
        return slim_real_getsockopt(fd, level, option, value, length)
    }
    if let constant = Options.constant(channel, level: level, option: option) {
        // The kernel checks what it is given and how much of it.
        let result = slim_real_getsockopt(fd, level, option, value, length)
        guard result == 0 else { return result }
        let bytes = UnsafeMutableRawBufferPointer(
            start: value, count: min(Int(length.pointee), MemoryLayout<CInt>.size))
        withUnsafeBytes(of: constant) { bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<bytes.count])) }
        return 0
    }
    guard let original = Channel.original(fd) else {
        return slim_real_getsockopt(fd, level, option, value, length)
    }
    defer { _ = Kernel.quietly { slim_close(original) } }
    return slim_real_getsockopt(original, level, option, value, length)
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_setsockopt(
    _ fd: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeRawPointer?, _ length: UInt32
) -> CInt {
    guard Sandbox.mayLook else { return slim_real_setsockopt(fd, level, option, value, length) }
    if level != SLIM_SOL_SOCKET {
        // A channel has no options of other levels: what succeeds was not set on one.
        let saved = slim_errno()
        let result = slim_real_setsockopt(fd, level, option, value, length)
        if result == 0 { PristineSockets.noteOption(fd, level: level, name: option) }
        if result == 0 || slim_errno() != SLIM_EOPNOTSUPP { return result }
        slim_set_errno(saved)
    }
    guard Options.channel(fd) != nil else {
        let result = slim_real_setsockopt(fd, level, option, value, length)
        if result == 0 { PristineSockets.noteOption(fd, level: level, name: option) }
        return result
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
