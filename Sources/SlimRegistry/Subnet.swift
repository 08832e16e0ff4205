/// A range of addresses in CIDR notation: an address whose host bits are zero, and a prefix length in bits.
package struct Subnet: Hashable, Sendable {
    package let address: IPAddress
    package let length: Int

    /// - Returns: `nil` when the length does not fit the family or a host bit is set.
    package init?(_ address: IPAddress, length: Int) {
        guard (0...address.bitWidth).contains(length) else { return nil }
        self.address = address
        self.length = length
        let mask = Self.mask(length)
        guard address.high & ~mask.high == 0, address.low & ~mask.low == 0 else { return nil }
    }

    package func contains(_ other: IPAddress) -> Bool {
        guard other.family == address.family else { return false }
        let mask = Self.mask(length)
        return other.high & mask.high == address.high && other.low & mask.low == address.low
    }

    package func overlaps(_ other: Subnet) -> Bool {
        contains(other.address) || other.contains(address)
    }

    /// The address at an offset from the start of the subnet: `10.32.1.0/24` at 1 is `10.32.1.1`.
    ///
    /// - Returns: `nil` when the offset lies outside the subnet.
    package func address(at offset: UInt64) -> IPAddress? {
        switch address.family {
        case .v4:
            guard let bits = address.v4Bits, let offset = UInt32(exactly: offset) else { return nil }
            let (sum, overflow) = bits.addingReportingOverflow(offset)
            let result = IPAddress(v4Bits: sum)
            return !overflow && contains(result) ? result : nil
        case .v6:
            let (sum, overflow) = address.low.addingReportingOverflow(offset)
            let result = IPAddress(v6High: address.high, low: sum)
            return !overflow && contains(result) ? result : nil
        }
    }

    static func mask(_ length: Int) -> (high: UInt64, low: UInt64) {
        // An IPv4 address sits in the upper half of `high`, so that one mask serves both families.
        (
            length == 0 ? 0 : ~0 << UInt64(max(0, 64 - length)),
            length <= 64 ? 0 : ~0 << UInt64(128 - length)
        )
    }
}

extension Subnet: Comparable {
    /// By address; of two with the same one, the larger network first.
    package static func < (a: Subnet, b: Subnet) -> Bool {
        a.address == b.address ? a.length < b.length : a.address < b.address
    }
}

extension Subnet: LosslessStringConvertible {
    /// Parses `10.32.1.0/24`; host bits must be zero.
    package init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]),
            parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(parts[1])
        else { return nil }
        self.init(address, length: length)
    }

    package var description: String { "\(address)/\(length)" }
}
