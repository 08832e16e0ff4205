internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// A descriptor that this value alone owns: closed at the end of its life, handed over by ``release()``.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, for system calls within the module and for epoll keys. Borrowed: never close it.
    package let raw: CInt

    /// Takes ownership of an open descriptor.
    package init(_ raw: CInt) { self.raw = raw }

    deinit { _ = Glibc.close(raw) }

    /// Gives the descriptor away: whoever takes the number closes it.
    package consuming func release() -> CInt {
        let number = raw
        discard self
        return number
    }

    /// A second descriptor for the same open file, close-on-exec.
    ///
    /// The corresponding C function is `fcntl` with `F_DUPFD_CLOEXEC`.
    package func duplicate() throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(try systemCall { slim_control(raw, F_DUPFD_CLOEXEC, 0) })
    }
}
