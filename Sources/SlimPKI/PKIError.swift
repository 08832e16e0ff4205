/// Why a certificate or key could not be made, read or believed. The description is one line that names the file.
package struct PKIError: Error, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The file is there already and is never overwritten.
        case exists
        case missing
        /// The file or directory cannot be read or written.
        case inaccessible
        /// Not PEM, or not a certificate or key.
        case malformed
        case invalidName
        /// The key belongs to another certificate.
        case keyMismatch
        /// Signed by another authority.
        case foreign
        /// The certificate is for another host.
        case wrongName
        case expired
    }

    package let code: Code
    /// The file or directory concerned; empty when the fault is in an argument.
    package let path: String
    /// What is wrong and how to mend it.
    package let reason: String

    package init(_ code: Code, path: String = "", _ reason: String) {
        self.code = code
        self.path = path
        self.reason = reason
    }

    package var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
}
