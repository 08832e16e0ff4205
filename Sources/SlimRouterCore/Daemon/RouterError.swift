/// Why the router cannot start or go on: one line that says what, where and how to mend it.
package struct RouterError: Error, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
