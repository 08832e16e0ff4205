package import SlimRegistry

/// Asks what a router's policy says about a connection of one of its containers, and why.
package struct ExplainQuery: Sendable, Equatable {
    /// Chosen by the asker; the answer repeats it.
    package let id: UInt64
    /// `egress` or `ingress`.
    package let direction: String
    package let source: IPAddress
    /// Its port is 0 where the protocol has none.
    package let destination: Endpoint
    /// `tcp`, `udp`, `icmp` or `other`.
    package let transport: String

    package init(id: UInt64, direction: String, source: IPAddress, destination: Endpoint, transport: String) {
        self.id = id
        self.direction = direction
        self.source = source
        self.destination = destination
        self.transport = transport
    }
}

/// The answer to an ``ExplainQuery``.
package struct ExplainAnswer: Sendable, Equatable {
    package let id: UInt64
    /// `allow`, `reject` or `drop`.
    package let verdict: String
    /// What decides: `rule web-to-db`, `default`.
    package let reason: String

    package init(id: UInt64, verdict: String, reason: String) {
        self.id = id
        self.verdict = verdict
        self.reason = reason
    }
}
