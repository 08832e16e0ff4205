/// The answer to a ``ResolveQuery``.
package struct ResolveAnswer: Sendable, Equatable {
    package let id: UInt64
    package let verdict: ResolveVerdict
    /// Of a denial: the connection is to time out instead of being refused.
    package let isSilent: Bool
    /// Whether the asker may keep the answer until it is invalidated.
    package let cacheable: Bool

    package init(id: UInt64, verdict: ResolveVerdict, isSilent: Bool = false, cacheable: Bool) {
        self.id = id
        self.verdict = verdict
        self.isSilent = isSilent
        self.cacheable = cacheable
    }
}

/// What the owner of a destination says about a connection to it.
package enum ResolveVerdict: String, Sendable, Equatable, CaseIterable {
    /// An IPv4 socket listens: connect to the first half of the data ports.
    case listening
    /// An IPv6 socket listens, dual-stack or not: connect to the second half of the data ports.
    case listeningV6
    /// Nobody listens under Slim: the packet overlay decides.
    case notListening
    /// The policy forbids it: the connection is refused and never falls back.
    case denied
    /// The listener has too many connections waiting: use the packet overlay for now.
    case busy
    /// The destination's address is no container of the answering host.
    case unknownEndpoint
}
