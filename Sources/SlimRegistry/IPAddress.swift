/// An IPv4 or IPv6 address: a value, without port or scope.
///
/// IPv4 occupies the first four of the sixteen bytes; a v4-mapped IPv6 address is never stored, see ``init(v6:)``.
package struct IPAddress: Hashable, Sendable {
    package enum Family: UInt8, Sendable { case v4 = 4, v6 = 6 }

    package let family: Family
    /// Network order, first byte in the most significant bits; for IPv4 the upper 32 bits.
    package let high: UInt64
    package let low: UInt64

    package init(v4 bytes: (UInt8, UInt8, UInt8, UInt8)) {
        let upper = UInt32(bytes.0) << 24 | UInt32(bytes.1) << 16
        self.init(v4Bits: upper | UInt32(bytes.2) << 8 | UInt32(bytes.3))
    }

    package init(v4Bits bits: UInt32) {
        family = .v4
        high = UInt64(bits) << 32
        low = 0
    }

    /// An IPv6 address; a v4-mapped one (`::ffff:a.b.c.d`) becomes the IPv4 address it stands for.
    package init(v6High high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xffff {
            self.init(v4Bits: UInt32(truncatingIfNeeded: low))
        } else {
            self.init(family: .v6, high: high, low: low)
        }
    }

    fileprivate init(family: Family, high: UInt64, low: UInt64) {
        self.family = family
        self.high = high
        self.low = low
    }

    /// From 4 or 16 bytes in network order; `nil` for any other count.
    package init?(bytes: some Sequence<UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for byte in bytes {
            if count < 8 {
                high |= UInt64(byte) << UInt64(56 - 8 * count)
            } else if count < 16 {
                low |= UInt64(byte) << UInt64(120 - 8 * count)
            }
            count += 1
        }
        switch count {
        case 4: self.init(v4Bits: UInt32(high >> 32))
        case 16: self.init(v6High: high, low: low)
        default: return nil
        }
    }

    /// The number of bits in an address of this family.
    package var bitWidth: Int { family == .v4 ? 32 : 128 }

    package var isUnspecified: Bool { high == 0 && low == 0 }

    package var isLoopback: Bool {
        family == .v4 ? high >> 56 == 127 : high == 0 && low == 1
    }

    /// The IPv4 address as a number in host order; `nil` for IPv6.
    package var v4Bits: UInt32? { family == .v4 ? UInt32(high >> 32) : nil }

    /// The bytes in network order: 4 or 16 of them.
    package var bytes: [UInt8] {
        let count = family == .v4 ? 4 : 16
        return (0..<count).map { (index: Int) -> UInt8 in
            let word = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index % 8)))
        }
    }

    package static let anyV4 = IPAddress(v4Bits: 0)
    package static let anyV6 = IPAddress(v6High: 0, low: 0)
}

extension IPAddress: Comparable {
    package static func < (a: IPAddress, b: IPAddress) -> Bool {
        (a.family.rawValue, a.high, a.low) < (b.family.rawValue, b.high, b.low)
    }
}

extension IPAddress {
    /// The address with all but its first bits set to zero.
    package func masked(to length: Int) -> IPAddress {
        let mask = Subnet.mask(length)
        return IPAddress(family: family, high: high & mask.high, low: low & mask.low)
    }
}
