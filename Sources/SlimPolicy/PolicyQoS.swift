/// What goes first, and how packets are marked for the network.
package struct PolicyQoS: Hashable, Sendable {
    package let name: String
    package let description: String?
    /// A connection is meant when a selected container is at either of its ends.
    package let select: [PolicySelector]
    /// Of the end that is connected to; sorted, disjoint; empty: all.
    package let ports: [PolicyPortRange]
    package let protocols: ProtocolChoice
    package let priority: TrafficPriority?
    package let dscp: DSCP?
}

/// What goes first: 0 before 7.
package struct TrafficPriority: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    /// - Returns: `nil` beyond 7.
    package init?(rawValue: UInt8) {
        guard rawValue <= 7 else { return nil }
        self.rawValue = rawValue
    }

    private init(_ value: UInt8) { rawValue = value }

    package static let realtime = TrafficPriority(0)
    package static let interactive = TrafficPriority(2)
    /// Of whatever no policy speaks about.
    package static let normal = TrafficPriority(4)
    package static let bulk = TrafficPriority(6)

    /// The classes with a name, as the file has them.
    static let named: [(name: String, priority: TrafficPriority)] = [
        ("realtime", .realtime), ("interactive", .interactive), ("bulk", .bulk),
    ]

    package static func < (a: TrafficPriority, b: TrafficPriority) -> Bool { a.rawValue < b.rawValue }

    package var description: String { Self.named.first { $0.priority == self }?.name ?? "\(rawValue)" }
}

/// A differentiated services code point, 0 to 63 (RFC 2474).
package struct DSCP: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    /// - Returns: `nil` beyond 63.
    package init?(rawValue: UInt8) {
        guard rawValue <= 63 else { return nil }
        self.rawValue = rawValue
    }

    /// The byte that `IP_TOS` and `IPV6_TCLASS` take.
    package var trafficClass: UInt8 { rawValue << 2 }

    /// RFC 2474, 2597, 3246, 5865 and 8622.
    static let named: [(name: String, value: UInt8)] =
        (0...7).map { ("cs\($0)", 8 * $0) }
        + (1...4).flatMap { c in (1...3).map { ("af\(c)\($0)", 8 * UInt8(c) + 2 * UInt8($0)) } }
        + [("ef", 46), ("va", 44), ("le", 1)]

    package var description: String { Self.named.first { $0.value == rawValue }?.name ?? "\(rawValue)" }
}
