package import SlimRegistry

/// A network interface as the kernel shows it.
package struct Link: Hashable, Sendable {
    package let index: InterfaceIndex
    package let name: String
    /// The kernel's name for the kind of a virtual device (`bridge`, `veth`, `vxlan`); `nil` for loopback and hardware.
    package let kind: String?
    package let mac: MACAddress?
    /// In bytes, without the Ethernet header.
    package let mtu: Int
    /// Whether the device is administratively up.
    package let isUp: Bool
    /// The bridge that it is a port of.
    package let master: InterfaceIndex?
    /// For a veth device: the index of its other end, in that end's namespace.
    package let peer: InterfaceIndex?
    /// Free text kept with the device (`ip link` shows it as alias).
    package let alias: String?
    /// What a VXLAN device was made with.
    package let vxlan: VXLAN?
    package let counters: LinkCounters

    /// The parameters of a VXLAN device.
    package struct VXLAN: Hashable, Sendable {
        package let id: UInt32
        /// The UDP port, here and at all peers.
        package let port: Port
        /// The source address of the tunnel.
        package let local: IPAddress?
        /// Whether forwarding entries are learnt from what arrives.
        package let isLearning: Bool
        /// Whether a packet's traffic class (DSCP) is that of the packet inside.
        package let copiesTrafficClass: Bool

        package init(
            id: UInt32, port: Port, local: IPAddress?, isLearning: Bool = false, copiesTrafficClass: Bool = true
        ) {
            self.id = id
            self.port = port
            self.local = local
            self.isLearning = isLearning
            self.copiesTrafficClass = copiesTrafficClass
        }
    }
}
