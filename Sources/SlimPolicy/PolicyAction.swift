/// What a rule or a default does with what it applies to.
package enum PolicyAction: Hashable, Sendable {
    case allow
    case deny(DenyMode)

    /// What the file calls it.
    enum Name: String, CaseIterable { case allow, deny }

    var name: Name {
        switch self {
        case .allow: .allow
        case .deny: .deny
        }
    }
}

extension PolicyAction: CustomStringConvertible {
    /// `allow`, `deny (reject)` or `deny (drop)`.
    package var description: String {
        switch self {
        case .allow: "allow"
        case .deny(let mode): "deny (\(mode.rawValue))"
        }
    }
}

/// How a program learns that it was denied.
package enum DenyMode: String, CaseIterable, Hashable, Sendable {
    /// At once: `ECONNREFUSED`, or an ICMP error.
    case reject
    /// Never: it times out, as behind a firewall that drops.
    case drop
}

/// Which end of a connection is asked.
package enum PolicyDirection: String, CaseIterable, Hashable, Sendable {
    /// The end that is connected to, at the server's router.
    case ingress
    /// The end that connects, at the client's router.
    case egress
}

/// Which ends a rule or an isolation speaks about.
package enum PolicyScope: String, CaseIterable, Hashable, Sendable {
    case ingress, egress, both

    package func contains(_ direction: PolicyDirection) -> Bool {
        self == .both || rawValue == direction.rawValue
    }
}
