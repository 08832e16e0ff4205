internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// Wakes a thread that waits in epoll, from any other. The corresponding C function is `eventfd`.
package struct WakeUp: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    package init() throws(Errno) {
        descriptor = OwnedDescriptor(try systemCall { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    /// For registration with epoll: readable after ``signal()``.
    package var raw: CInt { descriptor.raw }

    package func signal() {
        var one: UInt64 = 1
        _ = write(descriptor.raw, &one, 8)
    }

    /// Makes it unreadable again.
    package func clear() {
        var count: UInt64 = 0
        _ = read(descriptor.raw, &count, 8)
    }
}
