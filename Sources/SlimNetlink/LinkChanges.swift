/// What to change about a network interface; what is `nil` stays as it is.
package struct LinkChanges: Sendable {
    /// Which bridge the interface is a port of.
    package enum Master: Sendable {
        case bridge(InterfaceIndex)
        case none
    }

    package var isUp: Bool?
    /// In bytes, without the Ethernet header.
    package var mtu: Int?
    package var mac: MACAddress?
    package var master: Master?
    package var name: String?
    package var alias: String?

    package init(
        isUp: Bool? = nil, mtu: Int? = nil, mac: MACAddress? = nil, master: Master? = nil, name: String? = nil,
        alias: String? = nil
    ) {
        self.isUp = isUp
        self.mtu = mtu
        self.mac = mac
        self.master = master
        self.name = name
        self.alias = alias
    }
}
