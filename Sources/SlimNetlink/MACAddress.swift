/// An Ethernet address.
package struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    /// Six bytes in the order of transmission, the first in the most significant bits of the lower 48.
    package let bits: UInt64

    /// Takes the lower 48 bits.
    package init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

    /// From six bytes; `nil` for any other count.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        self.init(bits: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The six bytes in the order of transmission.
    package var bytes: [UInt8] {
        (0..<6).map { (index: Int) -> UInt8 in UInt8(truncatingIfNeeded: bits >> UInt64(40 - 8 * index)) }
    }

    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
