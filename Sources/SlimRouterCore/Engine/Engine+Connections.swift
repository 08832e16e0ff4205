internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// The ends of connections. The router holds no descriptor of them: the kernel tells.
extension Engine {
    /// Takes the ends that have been told, then looks away for a while: a wake-up for each would cost more than the
    /// entry is worth.
    func drainEnds() {
        var count = 0
        let overflow = ends.drain { cookie in
            count += 1
            forget(cookie)
        }
        if overflow != nil { resynchronise() }
        if count > 0 {
            try? epoll.change(ends.descriptor, [], token: endsToken)
            endsResume = .now + Self.endsPause
        } else {
            try? epoll.change(ends.descriptor, .read, token: endsToken)
        }
    }

    func forget(_ cookie: SocketCookie) {
        let wasUnused = unused.remove(cookie) != nil
        guard let connection = connections.remove(cookie),
            let container = containersByNamespace[connection.namespace]
        else { return }
        container.connectionCount -= 1
        if wasUnused { container.unused -= 1 }
        if connection.isPortPooled { container.ports.release(connection.local.port) }
    }

    /// After ends were lost: what the kernel no longer has is gone.
    ///
    /// What is left of a closed connection in TIME_WAIT, or while it waits for the peer's FIN, has the connection's cookie
    /// still. Its end was told before, and is not told again.
    func resynchronise() {
        do throws(NetlinkError) {
            let records = try SocketDiagnostics().dump(states: TCPStates.all.subtracting(.timeWait))
            let live = Set(records.filter { $0.state != .finWait2 || $0.inode != 0 }.map(\.cookie))
            for cookie in connections.cookies where !live.contains(cookie) { forget(cookie) }
        } catch { log.error("resynchronise", "\(error); connections may be shown that have ended") }
    }
}
