package import SystemPackage

/// What the kernel refused: the operation, what it was about, and the kernel's reason.
package struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked for: `create bridge`.
    package let operation: String
    /// The link, address, route or socket that it was about: `slim0`.
    package let object: String
    package let errno: Errno

    package init(operation: String, object: String, errno: Errno) {
        self.operation = operation
        self.object = object
        self.errno = errno
    }

    package var description: String { "\(operation) \(object): \(errno)" }
}
