internal import SlimNetlink
package import SystemPackage

/// Why the overlay could not be set up or changed: one line that says what, where and how to mend it.
package struct OverlayError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The configuration does not fit this host.
        case configuration
        /// A name or number is taken by something that is not Slim's.
        case conflict
        /// An address or a peer that cannot be served.
        case address
        /// The overlay has not been established.
        case notEstablished
        /// The kernel refused.
        case kernel
    }

    package let code: Code
    package let message: String
    /// The kernel's reason, if it was the kernel.
    package let errno: Errno?

    init(_ code: Code, _ message: String, errno: Errno? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    package var description: String { message }
}

/// Runs requests to the kernel, and says in their refusals what they were for.
///
/// - Parameter hint: how to mend a refusal that is particular to these requests.
func explaining<Value>(
    _ context: @autoclosure () -> String, hint: (Errno) -> String? = { _ in nil },
    _ body: () throws(NetlinkError) -> Value
) throws(OverlayError) -> Value {
    do throws(NetlinkError) { return try body() } catch {
        throw OverlayError(
            .kernel, "\(context()): \(error)\((hint(error.errno) ?? general(error.errno)).map { "; \($0)" } ?? "")",
            errno: error.errno)
    }
}

private func general(_ errno: Errno) -> String? {
    errno == .notPermitted || errno == .permissionDenied ? "run it as root (CAP_NET_ADMIN)" : nil
}
