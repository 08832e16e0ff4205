package import SlimSystem
package import SystemPackage

/// Makes host sockets harmless in the hands of whoever comes to hold them.
///
/// A tagged socket cannot be connected, bound or made to listen; of its options only harmless ones can be used; it tells
/// of overlay addresses only. The tag follows the socket through `dup`, `fork`, `exec` and descriptor passing, and is never
/// taken off.
package protocol SocketGuard: Sendable {
    var kind: GuardKind { get }

    /// What the guard does not keep programs from; the seccomp profile for containers closes these.
    var holes: [String] { get }

    /// What it keeps programs from on some kernels only, and by what on this one.
    var closedHoles: [String] { get }

    /// Guards a socket. Called before it is handed over, on the connection thread: it must be quick.
    ///
    /// - Throws: when the socket is not guarded; it must then not be handed over.
    func tag(_ fd: CInt, _ tag: GuardTag) throws(Errno)

    /// Whether a socket can be tagged, and what is accepted from it if it listens.
    func canTag(_ fd: CInt) -> Bool

    /// Cuts connections for every holder: calls that wait return, and the sockets stay dead.
    func revoke(_ cookies: Set<SocketCookie>) throws(GuardError)

    /// The tagged sockets that the kernel has.
    func tagged() throws(GuardError) -> Set<SocketCookie>

    /// Looks whether the guard still works.
    ///
    /// - Throws: why it does not.
    func check() throws(GuardError)
}
