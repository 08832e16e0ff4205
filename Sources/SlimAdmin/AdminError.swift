/// Why a request to a router was not carried out: one line that says what is wrong and how to mend it.
package struct AdminError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The classes of failure, with the numbers of HTTP.
    package enum Code: Int, Sendable {
        /// The request makes no sense.
        case badRequest = 400
        case notFound = 404
        case methodNotAllowed = 405
        /// The request contradicts what is: a name or address that is taken.
        case conflict = 409
        case tooLarge = 413
        case internalError = 500
        /// No router answers, or it is starting, stopping or busy.
        case unavailable = 503
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
