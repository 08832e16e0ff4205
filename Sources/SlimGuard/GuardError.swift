package import SystemPackage

/// Why sockets cannot be guarded: one line that says what is wrong and how to mend it.
package struct GuardError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure, for whoever has an exit status to choose.
    package enum Code: String, Sendable {
        /// This kernel, or its configuration, lacks something.
        case machine
        /// A file that Slim comes with is not there.
        case missingFile
        /// A guard that worked does so no longer.
        case dead
    }

    package let code: Code
    package let errno: Errno?
    private let message: String

    package init(_ code: Code, _ message: String, _ errno: Errno? = nil) {
        self.code = code
        self.errno = errno
        self.message = message
    }

    package var description: String { errno.map { "\(message): \($0)" } ?? message }
}
