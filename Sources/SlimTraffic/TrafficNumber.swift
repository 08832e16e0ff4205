package import SlimRegistry

/// What a container of this host is called in marks and classes: the last 11 bits of its overlay address, so that everybody
/// knows it without asking.
///
/// Of a host with more than 2048 containers, those that have one number share their limits.
package struct TrafficNumber: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt16

    /// - Returns: `nil` beyond 11 bits.
    package init?(rawValue: UInt16) {
        guard rawValue <= Self.mask else { return nil }
        self.rawValue = rawValue
    }

    /// - Parameter addresses: a container's own; the IPv4 address counts, where there is one.
    package init?(_ addresses: [IPAddress]) {
        guard let address = addresses.min(by: { $0.family.rawValue < $1.family.rawValue }) else { return nil }
        let bytes = address.bytes.suffix(2).map { UInt16($0) }
        rawValue = (bytes[0] << 8 | bytes[1]) & Self.mask
    }

    static let bits = 11
    static let mask: UInt16 = 1 << bits - 1

    package static func < (a: TrafficNumber, b: TrafficNumber) -> Bool { a.rawValue < b.rawValue }
}
