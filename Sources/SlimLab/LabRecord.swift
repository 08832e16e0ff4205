/// What `lab.json` holds: everything about a lab that does not change while it is up.
package struct LabRecord: Codable, Hashable, Sendable {
    package let name: String
    /// False from the first step of `up` until its last: what is left then is the rest of a crash.
    package var ready: Bool
    package let hosts: [LabHost]
    /// Whether its routers hand out host sockets only under the BPF guard, and its containers' programs run under the
    /// seccomp filter that belongs to it.
    package var isSecure: Bool
    /// Whether its routers are configured with a policy, which allows everything until another one is loaded. With one packets'
    /// connections are tracked.
    package var hasPolicy: Bool
}

/// A host of a lab.
package struct LabHost: Codable, Hashable, Sendable {
    package let name: String
    /// In the underlay.
    package let address: String
    package let address6: String
    /// The overlay subnets that it owns, in CIDR notation.
    package let subnets: [String]
    package let containers: [LabContainer]
}

/// A container of a lab.
package struct LabContainer: Codable, Hashable, Sendable {
    package let name: String
    package let ipv4: String
    package let ipv6: String
}
