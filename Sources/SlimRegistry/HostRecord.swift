/// What the cluster knows about one host: its name (the name in its certificate), where it is reached, what it owns.
package struct HostRecord: Hashable, Sendable {
    package let name: String
    /// The host's address in the underlay.
    package let underlay: IPAddress
    /// The overlay subnets that this host alone gives addresses from: at most one per family.
    package let subnets: [Subnet]
    /// When set, the only certificate (SHA-256 of its DER form, lower-case hex) that this host is believed with.
    package let certificateFingerprint: String?

    package init(name: String, underlay: IPAddress, subnets: [Subnet], certificateFingerprint: String? = nil) {
        self.name = name
        self.underlay = underlay
        self.subnets = subnets
        self.certificateFingerprint = certificateFingerprint
    }

    package func owns(_ address: IPAddress) -> Bool { subnets.contains { $0.contains(address) } }
}
