package import SlimPolicy

/// The mark of a packet (`SO_MARK` of a socket, `fwmark` of routing): whose it is, and what goes first.
///
///     31            18 17                        14 13      11 10         0
///     "SL", Slim's own  by what way it was sent      priority   container's number
package struct TrafficMark: Hashable, Sendable {
    /// By what way a packet comes to be sent.
    package enum Way: UInt32, CaseIterable, Sendable {
        /// A host socket that was handed to a container's program.
        case connection = 0x534c_0000
        /// The packet overlay.
        case packet = 0x534d_0000
    }

    package let way: Way
    package let number: TrafficNumber
    package let priority: TrafficPriority

    package init(_ way: Way, _ number: TrafficNumber, _ priority: TrafficPriority = .normal) {
        self.way = way
        self.number = number
        self.priority = priority
    }

    /// As the kernel has it.
    package var value: UInt32 { way.rawValue | Self.bits(of: priority) | UInt32(number.rawValue) }

    /// What all marks of one way have in common.
    static let wayMask: UInt32 = 0xffff_c000
    static let priorityMask: UInt32 = 7 << UInt32(TrafficNumber.bits)

    static func bits(of priority: TrafficPriority) -> UInt32 {
        UInt32(priority.rawValue) << UInt32(TrafficNumber.bits)
    }
}
