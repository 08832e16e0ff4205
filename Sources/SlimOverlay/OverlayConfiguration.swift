package import SlimRegistry

/// What one host's part of the packet overlay is made of.
package struct OverlayConfiguration: Hashable, Sendable {
    /// This host's address in the underlay: where peers send VXLAN packets to.
    package var underlay: IPAddress
    /// The subnets that this host gives container addresses from: at most one per family.
    package var subnets: [Subnet]
    /// All that the overlay may use: what no host owns in it is unreachable rather than sent out of the overlay.
    package var prefixes: [Subnet]
    package var bridge: String
    package var vxlan: String
    /// The virtual network's number (VNI), the same on all hosts.
    package var vxlanID: UInt32
    /// The UDP port, the same on all hosts.
    package var vxlanPort: Port
    /// In bytes; `nil`: what fits the underlay.
    package var mtu: Int?

    package init(
        underlay: IPAddress, subnets: [Subnet], prefixes: [Subnet], bridge: String = "slim0",
        vxlan: String = "slim-vx", vxlanID: UInt32 = 32, vxlanPort: Port = Port(4789), mtu: Int? = nil
    ) {
        self.underlay = underlay
        self.subnets = subnets
        self.prefixes = prefixes
        self.bridge = bridge
        self.vxlan = vxlan
        self.vxlanID = vxlanID
        self.vxlanPort = vxlanPort
        self.mtu = mtu
    }

    /// What VXLAN adds to a packet: outer IP header, UDP, VXLAN, inner Ethernet header.
    var overheadBytes: Int { underlay.family == .v4 ? 50 : 70 }

    var usesIPv6: Bool { subnets.contains { $0.address.family == .v6 } }

    /// The bridge's own addresses, the gateways of the containers: the first of each subnet.
    var gateways: [(address: IPAddress, subnet: Subnet)] {
        subnets.compactMap { subnet in subnet.address(at: 1).map { ($0, subnet) } }
    }
}
