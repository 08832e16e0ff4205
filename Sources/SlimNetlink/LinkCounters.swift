/// What passed through a network interface since it was made.
package struct LinkCounters: Hashable, Sendable {
    package let receivedBytes: UInt64
    package let receivedPackets: UInt64
    package let sentBytes: UInt64
    package let sentPackets: UInt64

    package init(receivedBytes: UInt64, receivedPackets: UInt64, sentBytes: UInt64, sentPackets: UInt64) {
        self.receivedBytes = receivedBytes
        self.receivedPackets = receivedPackets
        self.sentBytes = sentBytes
        self.sentPackets = sentPackets
    }

    /// What passed between an earlier reading and this one.
    package static func - (now: LinkCounters, before: LinkCounters) -> LinkCounters {
        LinkCounters(
            receivedBytes: now.receivedBytes &- before.receivedBytes,
            receivedPackets: now.receivedPackets &- before.receivedPackets,
            sentBytes: now.sentBytes &- before.sentBytes,
            sentPackets: now.sentPackets &- before.sentPackets)
    }
}
