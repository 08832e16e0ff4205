package import SlimRegistry

/// An entry in a VXLAN device's forwarding database: which host a link-layer address is behind.
package struct ForwardingEntry: Hashable, Sendable, CustomStringConvertible {
    /// The VXLAN device.
    package let interface: InterfaceIndex
    package let mac: MACAddress
    /// The underlay address that frames to `mac` are sent to.
    package let host: IPAddress

    package init(interface: InterfaceIndex, mac: MACAddress, host: IPAddress) {
        self.interface = interface
        self.mac = mac
        self.host = host
    }

    package var description: String { "\(mac) behind \(host)" }
}
