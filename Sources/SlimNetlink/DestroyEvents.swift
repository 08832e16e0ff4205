internal import CMinimalNetlink
internal import CSlimSystem
package import SlimSystem
internal import SystemPackage

/// Tells when TCP sockets of one network namespace cease to exist, IPv4 and IPv6.
///
/// The kernel does not tell when a socket is closed but at the end of its life: after the handshake of the close, when
/// TIME_WAIT begins. Sendable because its owner alone can use it: ``drain(_:)`` is mutating.
package struct DestroyEvents: ~Copyable, @unchecked Sendable {
    /// Some events did not fit the receive buffer and are lost: compare with a dump.
    package struct Overflow: Hashable, Sendable {}

    private static let receiveBufferBytes: CInt = 8 << 20
    /// The start of an event is enough: a netlink header, then the socket's identity.
    private static let messageBytes = 128

    private let socket: OwnedDescriptor
    private let buffer: UnsafeMutableRawBufferPointer
    private let lengths: UnsafeMutableBufferPointer<UInt32>

    /// Subscribes in the calling thread's network namespace.
    package init() throws(NetlinkError) {
        do throws(Errno) {
            try self.init(try openNetlink(family: NETLINK_SOCK_DIAG, isNonBlocking: true))
        } catch { throw NetlinkError(operation: "subscribe to", object: "ends of TCP sockets", errno: error) }
    }

    /// Subscribes in a network namespace.
    package init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        do throws(Errno) {
            try self.init(try openNetlink(family: NETLINK_SOCK_DIAG, in: namespace, isNonBlocking: true))
        } catch { throw NetlinkError(operation: "subscribe to", object: "ends of TCP sockets", errno: error) }
    }

    private init(_ socket: consuming OwnedDescriptor) throws(Errno) {
        try Self.set(SOL_SOCKET, SO_RCVBUFFORCE, Self.receiveBufferBytes, on: socket.raw)
        for group in [SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY] {
            try Self.set(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, CInt(group.rawValue), on: socket.raw)
        }
        self.socket = socket
        let count = Int(SLIM_MESSAGES_IN_BATCH)
        buffer = .allocate(byteCount: count * Self.messageBytes, alignment: 8)
        lengths = .allocate(capacity: count)
        lengths.initialize(repeating: 0)
    }

    deinit {
        lengths.deallocate()
        buffer.deallocate()
    }

    /// For epoll: readable when there are events.
    package var descriptor: CInt { socket.raw }

    /// Takes all events that wait. Never blocks, allocates nothing.
    ///
    /// - Returns: an overflow when events before these were lost, else `nil`.
    package mutating func drain(_ body: (SocketCookie) -> Void) -> Overflow? {
        var overflow: Overflow?
        while true {
            do throws(Errno) {
                let count = try systemCall {
                    slim_receive_batch(socket.raw, buffer.baseAddress, Self.messageBytes, lengths.baseAddress)
                }
                for index in 0..<Int(count) {
                    if let cookie = cookie(ofMessage: index) { body(cookie) }
                }
            } catch {
                if error == .wouldBlock || error == .resourceTemporarilyUnavailable { return overflow }
                overflow = Overflow()
                guard error == .noBufferSpace else { return overflow }
            }
        }
    }

    private func cookie(ofMessage index: Int) -> SocketCookie? {
        let start = index * Self.messageBytes
        let received = min(Int(lengths[index]), Self.messageBytes)
        return Self.cookie(in: UnsafeRawBufferPointer(rebasing: buffer[start..<start + received]))
    }

    /// The socket that an event is about; `nil` for any other message.
    static func cookie(in event: UnsafeRawBufferPointer) -> SocketCookie? {
        let body = MemoryLayout<nlmsghdr>.size
        let wanted = body + MemoryLayout<inet_diag_msg>.size
        guard event.count >= wanted else { return nil }
        let header = event.loadUnaligned(as: nlmsghdr.self)
        guard CInt(header.nlmsg_type) == SOCK_DIAG_BY_FAMILY, Int(header.nlmsg_len) >= wanted else { return nil }
        let message = event.loadUnaligned(fromByteOffset: body, as: inet_diag_msg.self)
        return SocketCookie(message.id.idiag_cookie)
    }

    private static func set(_ level: CInt, _ option: CInt, _ value: CInt, on socket: CInt) throws(Errno) {
        var value = value
        try systemCall { setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) }
    }
}
