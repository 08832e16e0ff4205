package import SlimRegistry

/// An address that an interface has.
package struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    package let interface: InterfaceIndex
    package let address: IPAddress
    /// The length of the prefix that is reached without a gateway, in bits.
    package let prefixLength: Int

    package init(interface: InterfaceIndex, address: IPAddress, prefixLength: Int) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Whether it is an IPv6 address that only its own link knows (`fe80::/10`).
    package var isLinkLocal: Bool { address.family == .v6 && address.high >> 54 == 0xfe80 >> 6 }

    package var description: String { "\(address)/\(prefixLength)" }
}
