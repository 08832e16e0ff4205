package import SlimRegistry

/// A permanent neighbour: the link-layer address of an IP address, known without asking.
package struct Neighbour: Hashable, Sendable, CustomStringConvertible {
    package let interface: InterfaceIndex
    package let address: IPAddress
    package let mac: MACAddress

    package init(interface: InterfaceIndex, address: IPAddress, mac: MACAddress) {
        self.interface = interface
        self.address = address
        self.mac = mac
    }

    package var description: String { "\(address) at \(mac)" }
}
