internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// A network namespace, held open.
package struct NetworkNamespace: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor

    /// Opens a namespace file such as `/run/netns/blue` or `/proc/17/ns/net`.
    package init(path: String) throws(Errno) {
        let descriptor = OwnedDescriptor(try systemCall { slim_open(path, O_RDONLY | O_CLOEXEC) })
        guard slim_is_network_namespace(descriptor.raw) == 1 else { throw .invalidArgument }
        self.descriptor = descriptor
    }

    /// The namespace of the calling thread.
    package static func current() throws(Errno) -> NetworkNamespace {
        try NetworkNamespace(path: "/proc/thread-self/ns/net")
    }

    /// Runs a closure inside the namespace on a thread of its own, which ends afterwards: no other thread moves.
    ///
    /// Blocks the caller until the closure has returned. The corresponding C function is `setns` with `CLONE_NEWNET`.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws(Errno) -> Value) throws(Errno) -> Value {
        let raw = descriptor.raw
        let box = ResultBox<Value>()
        try onNewThread {
            do throws(Errno) {
                try systemCall { slim_enter_network_namespace(raw) }
                box.result = .success(try body())
            } catch { box.result = .failure(error) }
        }
        guard let result = box.result else { throw .notRecoverable }
        return try result.get()
    }

    /// The kernel's own number for the namespace: unique until reboot, never reused (`SO_NETNS_COOKIE`).
    package func cookie() throws(Errno) -> NamespaceCookie {
        try run { () throws(Errno) in
            let socket = OwnedDescriptor(
                try systemCall { Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0) })
            return try namespaceCookie(of: socket.raw)
        }
    }
}

/// The identity of a network namespace, as the kernel tells it.
package struct NamespaceCookie: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The identity of a socket: unique until reboot, never reused, the same through dup, fork, exec and SCM_RIGHTS.
package struct SocketCookie: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The namespace that a socket lives in, by its cookie. Wants Linux 5.14.
package func namespaceCookie(of socket: CInt) throws(Errno) -> NamespaceCookie {
    var cookie: UInt64 = 0
    try systemCall { slim_get_cookie(socket, SLIM_SO_NETNS_COOKIE, &cookie) }
    return NamespaceCookie(rawValue: cookie)
}

/// Written by one thread that ends before the other reads: that order is the reason it may be shared.
final class ResultBox<Value: Sendable>: @unchecked Sendable {
    var result: Result<Value, Errno>?
}
