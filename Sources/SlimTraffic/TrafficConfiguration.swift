package import SlimRegistry

/// What the traffic of a host's containers passes.
package struct TrafficConfiguration: Hashable, Sendable {
    /// This host's address in the underlay.
    package let underlay: IPAddress
    package let bridge: String
    package let vxlan: String

    package init(underlay: IPAddress, bridge: String, vxlan: String) {
        self.underlay = underlay
        self.bridge = bridge
        self.vxlan = vxlan
    }
}
