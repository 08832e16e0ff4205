internal import SlimJSON
package import SlimRegistry

/// The overlay as a whole and this host's part of it.
package struct OverlaySettings: Equatable, Sendable {
    /// The ranges that the overlay as a whole is made of, at most one per family.
    package var prefixes: [Subnet]
    /// What this host gives addresses from, at most one per family.
    package var subnets: [Subnet]
    /// The name of the bridge that containers are plugged into.
    package var bridge: String
    /// The name of the VXLAN device.
    package var vxlan: String
    /// The VXLAN network identifier, 24 bits.
    package var vxlanID: UInt32
    /// The UDP port of VXLAN.
    package var vxlanPort: Port
    /// The MTU inside the overlay in bytes; `nil`: what the underlay leaves.
    package var mtu: Int?

    /// The ranges of an overlay that is told no others.
    package static let defaultPrefixes = ["10.32.0.0/16", "fd00:32::/48"].compactMap { Subnet($0) }

    enum Key: String, CodingKey, CaseIterable { case prefixes, subnets, bridge, vxlan, vxlanID, vxlanPort, mtu }

    package init(
        prefixes: [Subnet] = Self.defaultPrefixes, subnets: [Subnet], bridge: String = "slim0",
        vxlan: String = "slim-vx", vxlanID: UInt32 = 32, vxlanPort: Port = Port(4789), mtu: Int? = nil
    ) {
        self.prefixes = prefixes
        self.subnets = subnets
        self.bridge = bridge
        self.vxlan = vxlan
        self.vxlanID = vxlanID
        self.vxlanPort = vxlanPort
        self.mtu = mtu
    }
}

extension OverlaySettings: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        let prefixes = try object.optional(.prefixes)?.subnets() ?? Self.defaultPrefixes
        let subnets = try object.required(.subnets).subnets()
        self.init(
            prefixes: prefixes, subnets: subnets,
            bridge: try object.optional(.bridge)?.interfaceName() ?? "slim0",
            vxlan: try object.optional(.vxlan)?.interfaceName() ?? "slim-vx",
            vxlanID: UInt32(try object.optional(.vxlanID)?.integer(in: 1...0xff_ffff) ?? 32),
            vxlanPort: try object.optional(.vxlanPort)?.port() ?? Port(4789),
            // Below 1280 bytes there is no IPv6.
            mtu: try object.optional(.mtu)?.integer(in: 1280...65535))
        if bridge == vxlan, let value = object.optional(.vxlan) ?? object.optional(.bridge) {
            throw value.error(
                "the bridge and the VXLAN device have the same name", "choose another name for one of them")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(prefixes.map(\.description), forKey: .prefixes)
        try container.encode(subnets.map(\.description), forKey: .subnets)
        try container.encode(bridge, forKey: .bridge)
        try container.encode(vxlan, forKey: .vxlan)
        try container.encode(vxlanID, forKey: .vxlanID)
        try container.encode(vxlanPort.rawValue, forKey: .vxlanPort)
        try container.encodeIfPresent(mtu, forKey: .mtu)
    }
}
