internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// An epoll instance. Descriptors are borrowed: closing one ends its registration.
package struct Epoll: ~Copyable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: EPOLLIN.rawValue)
        package static let write = Interest(rawValue: EPOLLOUT.rawValue)
        /// Reported always, wanted or not.
        package static let hangUp = Interest(rawValue: EPOLLHUP.rawValue)
        package static let error = Interest(rawValue: EPOLLERR.rawValue)
    }

    private let descriptor: OwnedDescriptor
    private let masks = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
    private let tokens = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
    private static let capacity = 256

    /// The corresponding C function is `epoll_create1`.
    package init() throws(Errno) {
        descriptor = OwnedDescriptor(try systemCall { epoll_create1(O_CLOEXEC) })
    }

    deinit {
        masks.deallocate()
        tokens.deallocate()
    }

    /// The corresponding C function is `epoll_ctl` with `EPOLL_CTL_ADD`.
    package func add(_ fd: CInt, _ interest: Interest, token: UInt64) throws(Errno) {
        try systemCall { slim_epoll_add(descriptor.raw, fd, interest.rawValue, token) }
    }

    /// The corresponding C function is `epoll_ctl` with `EPOLL_CTL_MOD`.
    package func change(_ fd: CInt, _ interest: Interest, token: UInt64) throws(Errno) {
        try systemCall { slim_epoll_change(descriptor.raw, fd, interest.rawValue, token) }
    }

    /// The corresponding C function is `epoll_ctl` with `EPOLL_CTL_DEL`. What is not registered is no error.
    package func remove(_ fd: CInt) { _ = epoll_ctl(descriptor.raw, EPOLL_CTL_DEL, fd, nil) }

    /// Waits and hands over what happened, in the kernel's order.
    ///
    /// The corresponding C function is `epoll_wait`.
    /// - Parameter timeout: `nil` waits for ever; rounded up to milliseconds.
    /// - Returns: whether there may be more than was reported.
    package func wait(_ timeout: Duration?, _ body: (UInt64, Interest) -> Void) throws(Errno) -> Bool {
        var milliseconds: CInt = -1
        if let timeout {
            let (seconds, attoseconds) = timeout.components
            let exact = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
            milliseconds = CInt(clamping: max(0, exact))
        }
        let count = slim_epoll_wait(descriptor.raw, masks, tokens, CInt(Self.capacity), milliseconds)
        if count < 0 {
            if errno == EINTR { return false }
            throw Errno(rawValue: errno)
        }
        for index in 0..<Int(count) { body(tokens[index], Interest(rawValue: masks[index])) }
        return Int(count) == Self.capacity
    }
}
