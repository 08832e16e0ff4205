/// What one end says about a connection or packet, and why.
package struct PolicyVerdict: Hashable, Sendable {
    package enum Cause: Hashable, Sendable {
        /// An index into ``CompiledPolicy/rules``.
        case rule(Int)
        /// An index into ``PolicyDocument/isolations``.
        case isolation(Int)
        case defaultAction
    }

    package let action: PolicyAction
    package let cause: Cause

    package var isAllowed: Bool { action == .allow }
}
