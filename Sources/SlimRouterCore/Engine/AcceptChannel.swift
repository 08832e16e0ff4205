internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// What travels in an accept channel.
enum AcceptChannel {
    /// The message that brings a connection: a host socket is one with a cookie.
    static func message(cookie: SocketCookie?, local: Endpoint, peer: Endpoint) -> slim_accept {
        slim_accept(
            header: slim_header(SLIM_OP_LISTEN, flags: cookie == nil ? 0 : SLIM_ACCEPT_HOST.rawValue),
            cookie: cookie?.rawValue ?? 0, local: slim_address(local), peer: slim_address(peer))
    }

    /// One connection from the backlog of a listening socket of the container itself, and the message that brings it.
    ///
    /// - Returns: `nil` when none waits.
    static func acceptPlain(_ original: CInt) throws(Errno) -> Plain? {
        while true {
            var peer = KernelAddress()
            guard let connection = try StreamSocket.accept(original, peer: &peer) else { return nil }
            guard let message = plainMessage(of: connection.raw, peer) else { continue }
            return Plain(connection: connection, message: message)
        }
    }

    /// The message that brings a connection of the container itself.
    ///
    /// - Parameter peer: its peer, if that is known.
    static func plainMessage(of connection: CInt, _ peer: KernelAddress? = nil) -> slim_accept? {
        guard let peer = peer ?? (try? StreamSocket.peerAddress(connection)), let from = peer.endpoint,
            let at = try? StreamSocket.localAddress(connection).endpoint
        else { return nil }
        return message(cookie: nil, local: at, peer: from)
    }

    struct Plain: ~Copyable {
        let connection: OwnedDescriptor
        let message: slim_accept

        consuming func takeConnection() -> OwnedDescriptor { connection }
    }
}
