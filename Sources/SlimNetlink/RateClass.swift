/// A class of a hierarchical token bucket (HTB): how much may leave a device, and what goes first.
package struct RateClass: Hashable, Sendable {
    package let handle: QueueHandle
    /// Another class, or the queue itself.
    package let parent: QueueHandle
    /// What it always gets.
    package let bytesPerSecond: UInt64
    /// What it gets when its parent has more.
    package let ceilingBytesPerSecond: UInt64
    /// How much may leave at once after a pause.
    package let burstBytes: UInt32
    /// Of what the parent has more, the lowest number gets all that it wants: 0 to 7.
    package let priority: UInt8

    package init(
        _ handle: QueueHandle, parent: QueueHandle, bytesPerSecond: UInt64, ceilingBytesPerSecond: UInt64,
        burstBytes: UInt32, priority: UInt8 = 0
    ) {
        self.handle = handle
        self.parent = parent
        self.bytesPerSecond = bytesPerSecond
        self.ceilingBytesPerSecond = ceilingBytesPerSecond
        self.burstBytes = burstBytes
        self.priority = priority
    }
}
