internal import SystemPackage

/// Why the lab could not do something: one line that says what, where and how to mend it.
package struct LabError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// What was asked for makes no sense: a bad name, no such host or container, too many of them.
        case usage
        /// The lab is not up, or is up in another shape.
        case state
        /// This machine lacks something: rights, a program, a kernel feature.
        case machine
        /// A router did not do what was expected of it.
        case router
        /// There is no such program.
        case notFound
        /// A program is there but cannot be started.
        case notExecutable
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// A system call failed on an object, usually a path.
    init(_ operation: String, _ object: String, _ errno: Errno) {
        self.init(.machine, "\(object): cannot \(operation): \(errno)")
    }
}
