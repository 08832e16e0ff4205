internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// Starts a program that outlives this one: in a session of its own, with no descriptor of this process but stderr.
///
/// The corresponding C function is `posix_spawn`.
/// - Parameter name: what it is called in the list of processes.
package func startDetached(_ path: String, named name: String, _ arguments: [String]) throws(Errno) {
    var vector: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) }
    defer { for text in vector { free(text) } }
    vector.append(nil)
    var pid: CInt = 0
    let code = slim_spawn_detached(path, vector, &pid)
    if code != 0 { throw Errno(rawValue: code) }
}

/// The effective user of the process at the other end of a Unix socket (`SO_PEERCRED`); `nil` when unknown.
package func peerUser(_ fd: CInt) -> UInt32? { UInt32(exactly: slim_peer_user(fd)) }

/// Ends the process at the other end of a Unix socket, which must live: its number is another's otherwise. Waits until its
/// descriptors are closed, for half a second at most.
package func killPeer(_ fd: CInt) {
    let process = slim_peer_process(fd)
    if process > 1 { slim_kill_and_wait(process, 500) }
}
