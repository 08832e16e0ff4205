package import SlimRegistry

/// Which containers the sender has: what policies of other hosts select them by.
package struct ContainerUpdate: Sendable, Equatable {
    /// What this part of the news is.
    package enum Scope: String, Sendable, Equatable, CaseIterable {
        /// Changes of what was told before.
        case change
        /// A part of the whole list, which goes on in the next frame.
        case part
        /// The last part of the whole list: what none of its parts named is gone.
        case last
    }

    package let scope: Scope
    /// New containers, and those with other labels or addresses than before.
    package let present: [ContainerIdentity]
    /// The names of those that are gone.
    package let gone: [String]

    package init(_ scope: Scope, present: [ContainerIdentity] = [], gone: [String] = []) {
        self.scope = scope
        self.present = present
        self.gone = gone
    }
}
