internal import SlimNetlink
internal import SlimPolicy

/// The classes of ``TrafficPlan/device``, and what they are called.
///
///     1:  -> 1:1, all together -> 1:8NN, a container -> 1:4NNN, what of it has one priority
enum TrafficClasses {
    static let queue = QueueHandle(1, 0)
    static let all = QueueHandle(1, 1)
    static let leafBase = QueueHandle(1, 0x4000)

    static func container(_ number: TrafficNumber) -> QueueHandle { QueueHandle(1, 0x800 | number.rawValue) }

    /// Where packets wait: the number is what their mark ends in.
    static func leaf(_ number: TrafficNumber, _ priority: TrafficPriority) -> QueueHandle {
        QueueHandle(1, leafBase.minor | UInt16(TrafficMark.bits(of: priority)) | number.rawValue)
    }

    /// The kernel counts frames, the policy what programs send: headers of TCP, IP and Ethernet make 4.6 % of full frames,
    /// nearly nothing of the large ones within a host.
    static func bytesPerSecond(_ rate: BitRate) -> UInt64 { rate.bytesPerSecond + rate.bytesPerSecond * 3 / 100 }

    /// What a class may send at once after a pause when the policy does not say: as much as makes up for a timer that is late.
    static func burst(_ limit: RateLimit) -> UInt32 {
        UInt32(clamping: limit.burstBytes ?? max(20_000, bytesPerSecond(limit.ceiling) / 200))
    }

    /// How much may wait: what is sent in 50 ms, but a few packets as sockets make them in any case.
    static func queueLimit(_ bytesPerSecond: UInt64) -> Int32 {
        Int32(clamping: min(max(200_000, bytesPerSecond / 20), 64 << 20))
    }
}

extension QueueHandle {
    /// Whether it is a class where packets wait.
    var isLeaf: Bool { minor >= TrafficClasses.leafBase.minor }
}
