internal import CNetlinkRoute
internal import SlimSystem
internal import SystemPackage

/// A libnl socket, with the kernel's last refusal as it was told: libnl itself folds several errno values into one.
///
/// Sendable because it has one owner, the mutex in ``RouteSocket``, which lets one thread in at a time.
struct RouteChannel: ~Copyable, @unchecked Sendable {
    let socket: OpaquePointer
    private let refusal: UnsafeMutablePointer<CInt>

    /// Takes a bound netlink socket.
    init(_ descriptor: consuming OwnedDescriptor) throws(Errno) {
        guard let socket = nl_socket_alloc() else { throw .noMemory }
        let code = nl_socket_set_fd(socket, NETLINK_ROUTE, descriptor.raw)
        guard code == 0 else {
            nl_socket_free(socket)
            throw .invalidArgument
        }
        _ = descriptor.release()
        refusal = .allocate(capacity: 1)
        refusal.initialize(to: 0)
        self.socket = socket
        nl_socket_modify_err_cb(
            socket, NL_CB_CUSTOM,
            { _, message, refusal in
                guard let message else { return CInt(NL_STOP.rawValue) }
                refusal?.assumingMemoryBound(to: CInt.self).pointee = 0 &- message.pointee.error
                return CInt(NL_STOP.rawValue)
            }, refusal)
    }

    deinit {
        nl_socket_free(socket)
        refusal.deallocate()
    }

    /// Runs libnl functions and turns their answer, negative for failure, into the kernel's errno.
    func check(_ body: (OpaquePointer) -> CInt) throws(Errno) {
        refusal.pointee = 0
        let code = body(socket)
        guard code < 0 else { return }
        throw refusal.pointee != 0 ? Errno(rawValue: refusal.pointee) : Self.errno(ofLibraryCode: -code)
    }

    /// Sends a message and waits for its acknowledgement.
    func send(_ message: OpaquePointer) throws(Errno) {
        try check { socket in
            let sent = nl_send_auto(socket, message)
            return sent < 0 ? sent : nl_wait_for_ack(socket)
        }
    }

    private static func errno(ofLibraryCode code: CInt) -> Errno {
        switch code {
        case NLE_NOMEM: .noMemory
        case NLE_AGAIN: .resourceTemporarilyUnavailable
        case NLE_OBJ_NOTFOUND: .noSuchFileOrDirectory
        case NLE_NODEV: .noSuchDevice
        case NLE_PERM: .notPermitted
        case NLE_RANGE: .outOfRange
        default: .invalidArgument
        }
    }
}
