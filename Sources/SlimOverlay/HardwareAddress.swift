internal import SlimNetlink
internal import SlimRegistry

/// Link-layer addresses that follow from IP addresses, so that every host knows them without asking.
///
/// All are locally administered. An IPv4 address is readable in the last four bytes, an IPv6 address is hashed to five.
enum HardwareAddress {
    /// What the address is for: the first byte, of which bit 1 says "local" and bit 0, clear, "one device".
    private enum Role: UInt8 {
        case container = 0x02
        case bridge = 0x06
        case tunnel = 0x0a
    }

    /// Of the VXLAN device of the host with an underlay address.
    static func tunnel(of underlay: IPAddress) -> MACAddress { make(.tunnel, underlay) }

    /// Of the bridge of the host with an underlay address. A bridge without one of its own takes those of its ports.
    static func bridge(of underlay: IPAddress) -> MACAddress { make(.bridge, underlay) }

    /// Of the container with an overlay address: one that comes back is known to its neighbours already.
    static func container(_ address: IPAddress) -> MACAddress { make(.container, address) }

    private static func make(_ role: Role, _ address: IPAddress) -> MACAddress {
        if let bits = address.v4Bits {
            return MACAddress(bits: UInt64(role.rawValue) << 40 | 0x32 << 32 | UInt64(bits))
        }
        return MACAddress(bits: UInt64(role.rawValue | 0x40) << 40 | fnv1a(address.bytes) & 0xff_ffff_ffff)
    }
}

/// The 64-bit FNV-1a hash: short, and the same everywhere and always.
func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}
