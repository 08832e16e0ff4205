/// One rule: what it does with whom it speaks about.
package struct PolicyRule: Hashable, Sendable {
    package let name: String
    package let description: String?
    package let action: PolicyAction
    /// Which routers apply it.
    package let direction: PolicyScope
    /// Whoever connects or sends; any one of these.
    package let from: [PolicySelector]
    /// Whom it connects or sends to; any one of these.
    package let to: [PolicySelector]
    /// Of the end that is connected to; sorted, disjoint; empty: all.
    package let ports: [PolicyPortRange]
    package let protocols: ProtocolChoice
}

/// Containers for which a direction is denied where no rule allows it, whatever the default.
package struct PolicyIsolation: Hashable, Sendable {
    package let name: String
    package let description: String?
    package let select: [PolicySelector]
    package let direction: PolicyScope
    package let mode: DenyMode
}
