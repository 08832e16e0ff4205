internal import CNetlinkRoute

/// What traffic control calls a queue, a class of one, or a place where filters are: two numbers.
package struct QueueHandle: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ major: UInt16, _ minor: UInt16) { rawValue = UInt32(major) << 16 | UInt32(minor) }

    package var major: UInt16 { UInt16(rawValue >> 16) }
    package var minor: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    /// Above a device's outermost queue.
    package static let root = QueueHandle(rawValue: 0xffff_ffff)
    /// Where the `clsact` queue is: it queues nothing and has filters.
    static let clsact = QueueHandle(rawValue: 0xffff_fff1)
    /// Filters of `clsact` for what a device sends, before it is queued.
    package static let sending = QueueHandle(rawValue: 0xffff_fff3)
    /// Filters of `clsact` for what a device has received.
    package static let receiving = QueueHandle(rawValue: 0xffff_fff2)

    /// As `tc` shows it.
    package var description: String { String(major, radix: 16) + ":" + String(minor, radix: 16) }
}
