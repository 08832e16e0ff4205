/// Why the control plane cannot run. The description is one line that says what and how to mend it.
package struct ControlError: Error, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        case addressInUse
        case addressUnavailable
        case noPermission
        /// A certificate, key or authority is missing, unreadable or does not fit.
        case credentials
        /// `start()` was called on a control plane that runs.
        case alreadyRunning
        case other
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
