internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// Unix sockets that carry messages and descriptors (`SOCK_SEQPACKET`).
package enum LocalSocket {
    /// What one `recvmsg` brought.
    package struct Received: ~Copyable {
        /// Bytes in the message; 0 is the end of the connection.
        package let byteCount: Int
        /// How many descriptors came.
        package let descriptorCount: Int
        package let isTruncated: Bool
        package var descriptor: OwnedDescriptor?
        private var surplus: [CInt]

        fileprivate init(byteCount: Int, isTruncated: Bool, descriptors: UnsafeMutableBufferPointer<CInt>) {
            self.byteCount = byteCount
            self.isTruncated = isTruncated
            descriptorCount = descriptors.count
            descriptor = descriptors.first.map { OwnedDescriptor($0) }
            surplus = Array(descriptors.dropFirst())
        }

        deinit { for raw in surplus { _ = OwnedDescriptor(raw) } }

        /// Takes the descriptors after the first out: whoever does closes them.
        package mutating func takeSurplus() -> [CInt] {
            defer { surplus = [] }
            return surplus
        }

        /// Takes the descriptor out.
        package mutating func takeDescriptor() -> OwnedDescriptor? { descriptor.take() }
    }

    /// A socket that listens at a name: `@abstract`, in the calling thread's network namespace, or a path.
    ///
    /// Non-blocking and close-on-exec. The corresponding C functions are `socket`, `bind` and `listen`.
    package static func listener(at name: String, backlog: CInt = 1024) throws(Errno) -> OwnedDescriptor {
        let descriptor = try open(nonblocking: true)
        try bind(descriptor.raw, to: name)
        try systemCall { Glibc.listen(descriptor.raw, backlog) }
        return descriptor
    }

    /// A socket connected to a name. The corresponding C functions are `socket` and `connect`.
    package static func connect(to name: String) throws(Errno) -> OwnedDescriptor {
        let descriptor = try open(nonblocking: false)
        try withAddress(name) { address, length throws(Errno) in
            try systemCall { Glibc.connect(descriptor.raw, address, length) }
        }
        return descriptor
    }

    /// Accepts one connection, non-blocking and close-on-exec; `nil` when nothing is pending.
    package static func accept(_ fd: CInt) throws(Errno) -> OwnedDescriptor? {
        do throws(Errno) {
            return OwnedDescriptor(try systemCall { slim_accept_closing(fd, nil, nil, 1) })
        } catch {
            if error == .wouldBlock { return nil }
            throw error
        }
    }

    /// A connected pair, close-on-exec and blocking. The corresponding C function is `socketpair`.
    package static func pair() throws(Errno) -> (CInt, CInt) {
        var both: (CInt, CInt) = (-1, -1)
        try systemCall {
            withUnsafeMutableBytes(of: &both) { bytes in
                socketpair(
                    AF_UNIX, CInt(SOCK_SEQPACKET.rawValue) | O_CLOEXEC, 0, bytes.bindMemory(to: CInt.self).baseAddress)
            }
        }
        return both
    }

    /// Gives a socket a name. The corresponding C function is `bind`.
    package static func bind(_ fd: CInt, to name: String) throws(Errno) {
        try withAddress(name) { address, length throws(Errno) in
            try systemCall { Glibc.bind(fd, address, length) }
        }
    }

    /// Sends one message with at most one descriptor.
    ///
    /// - Parameter waiting: for room, as long as the socket's timeout says; else not at all.
    /// - Throws: `EAGAIN` when the other end's queue is full, `EPIPE` or `ECONNREFUSED` when it is gone.
    package static func send<Message: BitwiseCopyable>(
        _ message: Message, to fd: CInt, passing passed: CInt = -1, waiting: Bool = false
    ) throws(Errno) {
        let flags = waiting ? 0 : CInt(MSG_DONTWAIT)
        try systemCall {
            withUnsafeBytes(of: message) { slim_send_message(fd, $0.baseAddress, $0.count, passed, flags) }
        }
    }

    /// Sends one message with two descriptors, without waiting.
    package static func send<Message: BitwiseCopyable>(
        _ message: Message, to fd: CInt, passing first: CInt, and second: CInt
    ) throws(Errno) {
        try systemCall {
            withUnsafeBytes(of: message) {
                slim_send_message_two(fd, $0.baseAddress, $0.count, first, second, CInt(MSG_DONTWAIT))
            }
        }
    }

    /// The kernel's memory for what was sent and not read at the other end (`SIOCOUTQ`): each message takes the same if
    /// they are of one size.
    package static func unreadBytes(_ fd: CInt) -> Int { max(0, Int(slim_unread_bytes(fd))) }

    /// Receives one message, without waiting; `nil` when none is there.
    package static func receive(from fd: CInt, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Received? {
        do throws(Errno) { return try receive(from: fd, into: buffer, flags: CInt(MSG_DONTWAIT)) } catch {
            if error == .wouldBlock { return nil }
            throw error
        }
    }

    /// Receives one message and waits for it, as long as the socket's timeout says.
    ///
    /// - Throws: `EAGAIN` after the timeout.
    package static func wait(from fd: CInt, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Received {
        try receive(from: fd, into: buffer, flags: 0)
    }

    /// Limits how long sending and receiving wait (`SO_SNDTIMEO`, `SO_RCVTIMEO`).
    package static func setTimeouts(_ fd: CInt, _ timeout: Duration) throws(Errno) {
        let (seconds, attoseconds) = timeout.components
        var value = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            try systemCall { setsockopt(fd, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size)) }
        }
    }

    private static func receive(
        from fd: CInt, into buffer: UnsafeMutableRawBufferPointer, flags: CInt
    ) throws(Errno) -> Received {
        try withUnsafeTemporaryAllocation(of: CInt.self, capacity: Int(SLIM_MOST_DESCRIPTORS)) { passed throws(Errno) in
            var count: CInt = 0
            var truncated: CInt = 0
            let bytes = try systemCall {
                slim_receive_message(
                    fd, buffer.baseAddress, buffer.count, passed.baseAddress, &count, &truncated, flags)
            }
            return Received(
                byteCount: bytes, isTruncated: truncated != 0, descriptors: .init(rebasing: passed[..<Int(count)]))
        }
    }

    /// Sets the size of a socket's send buffer in bytes; the kernel doubles it and has a minimum of 4,608.
    package static func setSendBuffer(_ fd: CInt, bytes: CInt, beyondLimit: Bool = false) throws(Errno) {
        var value = bytes
        let option = beyondLimit ? SO_SNDBUFFORCE : SO_SNDBUF
        try systemCall { setsockopt(fd, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<CInt>.size)) }
    }

    private static func open(nonblocking: Bool) throws(Errno) -> OwnedDescriptor {
        let type = CInt(SOCK_SEQPACKET.rawValue) | O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)
        return OwnedDescriptor(try systemCall { socket(AF_UNIX, type, 0) })
    }

    static func withAddress(
        _ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Void
    ) throws(Errno) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(name.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .fileNameTooLong
        }
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            path.copyBytes(from: bytes)
            if isAbstract { path[0] = 0 }
        }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        let length = socklen_t(offset + bytes.count + (isAbstract ? 0 : 1))
        let result = withUnsafePointer(to: address) { pointer -> Result<Void, Errno> in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                do throws(Errno) { return .success(try body(address, length)) } catch { return .failure(error) }
            }
        }
        try result.get()
    }
}
