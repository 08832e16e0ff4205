package import SlimNetlink
package import SlimSystem

/// Ends connections whoever holds the sockets (SOCK_DESTROY), in the calling thread's network namespace.
///
/// A holder that is not guarded can make another connection with the socket.
package func destroySockets(
    _ cookies: Set<SocketCookie>, in states: TCPStates = .connections
) throws(GuardError) {
    do throws(NetlinkError) {
        let diagnostics = try SocketDiagnostics()
        let live = try diagnostics.dump(states: states)
        try diagnostics.destroy(live.filter { cookies.contains($0.cookie) })
    } catch {
        throw GuardError(.machine, "sockets cannot be ended", error.errno)
    }
}
