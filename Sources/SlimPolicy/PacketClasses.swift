package import SlimRegistry

/// All addresses there are, in ranges that a policy treats alike: for whoever compares packets in the kernel.
///
/// A packet is decided by two look-ups of a class and one of what stands between the two, however many rules there are.
package struct PacketClasses: Sendable {
    package struct Range: Hashable, Sendable {
        package let first: IPAddress
        package let last: IPAddress
        /// An index into ``classes``.
        package let identity: Int
    }

    /// Ascending and disjoint; together all of IPv4 and all of IPv6.
    package let ranges: [Range]
    /// One of those that are alike.
    package let classes: [IdentityClass]
}

/// What one end says about packets to some ports.
package struct PacketVerdict: Hashable, Sendable {
    package let ports: ClosedRange<UInt16>
    package let verdict: PolicyVerdict
}

extension CompiledPolicy {
    /// - Parameter containers: all that are known; addresses of others are addresses outside. No address twice.
    package func packetClasses(_ containers: [PolicyContainer]) -> PacketClasses {
        var known: [IPAddress: PolicyEndpoint] = [:]
        for endpoint in containers.flatMap(\.endpoints) { known[endpoint.address] = endpoint }
        var cuts: Set<IPAddress> = [.anyV4, .anyV6]
        func cut(_ first: IPAddress, _ next: IPAddress?) {
            cuts.insert(first)
            if let next { cuts.insert(next) }
        }
        for address in known.keys { cut(address, address.successor) }
        for case .network(let network) in selectors.selectors {
            for subnet in [network.subnet] + network.except { cut(subnet.address, subnet.last.successor) }
        }
        let firsts = cuts.sorted()
        var numbers: [IdentityClass.Content: Int] = [:]
        var classes: [IdentityClass] = []
        var ranges: [PacketClasses.Range] = []
        for (index, first) in firsts.enumerated() {
            let identity = identityClass(of: known[first] ?? PolicyEndpoint(outside: first))
            let number = numbers[identity.content] ?? classes.count
            if number == classes.count {
                numbers[identity.content] = number
                classes.append(identity)
            }
            let next = index + 1 < firsts.count ? firsts[index + 1] : nil
            let last = next.flatMap { $0.family == first.family ? $0.predecessor : nil } ?? first.lastOfFamily
            if let before = ranges.last, before.identity == number, before.first.family == first.family {
                ranges[ranges.count - 1] = PacketClasses.Range(first: before.first, last: last, identity: number)
            } else {
                ranges.append(PacketClasses.Range(first: first, last: last, identity: number))
            }
        }
        return PacketClasses(ranges: ranges, classes: classes)
    }

    /// What one end says about packets of one protocol between two classes of this policy, for all ports, ascending.
    package func packetVerdicts(
        _ direction: PolicyDirection, from: IdentityClass, to: IdentityClass, protocol: PolicyProtocol
    ) -> [PacketVerdict] {
        let (from, to) = (own(from), own(to))
        var segments = table.segments(direction, from.from, to.to, `protocol`)
        if segments.isEmpty { segments = [PortSegment(start: 0, rank: PortTable.none)] }
        return segments.enumerated().map { index, segment in
            let last = index + 1 < segments.count ? segments[index + 1].start - 1 : .max
            return PacketVerdict(
                ports: segment.start...last, verdict: verdict(direction, rank: segment.rank, from: from, to: to))
        }
    }
}

extension IdentityClass {
    /// What makes two endpoints alike.
    struct Content: Hashable {
        let from: Senders
        let to: Receivers
        let isolations: [Int?]
        let limits: PolicyLimits
        let qos: [Int]
    }

    var content: Content {
        Content(from: from, to: to, isolations: [isolatedIngress, isolatedEgress], limits: limits, qos: qos)
    }
}

extension Subnet {
    fileprivate var last: IPAddress {
        let bits = (address.high, address.low)
        if address.family == .v4 {
            let host = length == 32 ? 0 : UInt32.max >> UInt32(length)
            return IPAddress(v4Bits: UInt32(bits.0 >> 32) | host)
        }
        let host = (
            length >= 64 ? 0 : UInt64.max >> UInt64(length),
            length <= 64 ? UInt64.max : length == 128 ? 0 : UInt64.max >> UInt64(length - 64)
        )
        return IPAddress(v6High: bits.0 | host.0, low: bits.1 | host.1)
    }
}

extension IPAddress {
    /// IPv6 addresses that stand for IPv4 ones are none: they are passed over.
    private static let mapped = (first: UInt64(0xffff) << 32, next: UInt64(1) << 48)

    fileprivate var lastOfFamily: IPAddress {
        family == .v4 ? IPAddress(v4Bits: .max) : IPAddress(v6High: .max, low: .max)
    }

    fileprivate var successor: IPAddress? {
        if self == lastOfFamily { return nil }
        if let bits = v4Bits { return IPAddress(v4Bits: bits + 1) }
        if high == 0, low == Self.mapped.first - 1 { return IPAddress(v6High: 0, low: Self.mapped.next) }
        return low == .max ? IPAddress(v6High: high + 1, low: 0) : IPAddress(v6High: high, low: low + 1)
    }

    fileprivate var predecessor: IPAddress? {
        if isUnspecified { return nil }
        if let bits = v4Bits { return IPAddress(v4Bits: bits - 1) }
        if high == 0, low == Self.mapped.next { return IPAddress(v6High: 0, low: Self.mapped.first - 1) }
        return low == 0 ? IPAddress(v6High: high - 1, low: .max) : IPAddress(v6High: high, low: low - 1)
    }
}
