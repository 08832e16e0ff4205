package import SlimRegistry

/// Consecutive ports; never empty.
package struct PolicyPortRange: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let first: Port
    package let last: Port

    /// - Returns: `nil` when the last comes before the first.
    package init?(_ first: Port, _ last: Port) {
        guard first <= last else { return nil }
        self.first = first
        self.last = last
    }

    package init(_ port: Port) {
        first = port
        last = port
    }

    package func contains(_ port: Port) -> Bool { first <= port && port <= last }

    package static func < (a: PolicyPortRange, b: PolicyPortRange) -> Bool { (a.first, a.last) < (b.first, b.last) }

    package var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}

extension [PolicyPortRange] {
    /// Whether a list as a rule has it covers a port; an empty one covers all.
    package func covers(_ port: Port) -> Bool { isEmpty || contains { $0.contains(port) } }
}
