internal import CSlimSystem

/// What the kernel counts of a TCP connection.
package struct SocketTraffic: Hashable, Sendable {
    /// That the other end has acknowledged.
    package let bytesSent: UInt64
    package let bytesReceived: UInt64
    /// The smoothed round-trip time.
    package let rttMicroseconds: UInt32
    /// Segments sent again.
    package let retransmissions: UInt32

    /// - Parameter info: a `struct tcp_info` of whatever version; `nil` when it is too old to have counts.
    init?(_ info: UnsafeRawBufferPointer) {
        var traffic = slim_traffic()
        guard slim_read_traffic(info.baseAddress, info.count, &traffic) == 1 else { return nil }
        bytesSent = traffic.bytes_acked
        bytesReceived = traffic.bytes_received
        rttMicroseconds = traffic.rtt
        retransmissions = traffic.retransmissions
    }
}
