internal import SlimNetlink
internal import SlimPolicy

/// The classes of ``TrafficPlan/device``, and what they are called.
///
///     1:  -> 1:1, all together -> 1:8NN, a container -> 1:4NNN, its connections of one priority
///                                                    -> 1:8NNN, its packets of one priority
enum TrafficClasses {
    static let queue = QueueHandle(1, 0)
    static let all = QueueHandle(1, 1)

    /// What the handles of all classes have in common where packets wait that came by one way.
    static func leaves(_ way: TrafficMark.Way) -> QueueHandle { QueueHandle(1, way == .connection ? 0x4000 : 0x8000) }

    static func container(_ number: TrafficNumber) -> QueueHandle { QueueHandle(1, 0x800 | number.rawValue) }

    /// Where packets wait: the number is what their mark ends in.
    static func leaf(_ way: TrafficMark.Way, _ number: TrafficNumber, _ priority: TrafficPriority) -> QueueHandle {
        QueueHandle(1, leaves(way).minor | UInt16(TrafficMark.bits(of: priority)) | number.rawValue)
    }

    /// The kernel counts frames, the policy what programs send: headers of TCP, IP and Ethernet make 4.6 % of full frames,
    /// nearly nothing of the large ones within a host.
    static func bytesPerSecond(_ rate: BitRate) -> UInt64 { rate.bytesPerSecond + rate.bytesPerSecond * 3 / 100 }

    /// What a class may send at once after a pause when the policy does not say: as much as makes up for a timer that is late.
    static func burst(_ limit: RateLimit) -> UInt32 {
        UInt32(clamping: limit.burstBytes ?? max(20_000, bytesPerSecond(limit.ceiling) / 200))
    }

    /// How much of what comes by one way may wait.
    ///
    /// A socket is told to wait, and has little in the queue: to drop some of that would only harm, and of 64 KiB each within a
    /// host a few packets would fill it. Packets of the overlay have no such teller: for them a queue is 50 ms long, and some
    /// packets in any case.
    static func queueLimit(_ way: TrafficMark.Way, _ bytesPerSecond: UInt64) -> Int32 {
        switch way {
        case .connection: 64 << 20
        case .packet: Int32(clamping: min(max(200_000, bytesPerSecond / 20), 64 << 20))
        }
    }
}

extension QueueHandle {
    /// What waits in the class; `nil` for one in which nothing does.
    var way: TrafficMark.Way? {
        minor >= TrafficClasses.leaves(.packet).minor
            ? .packet : minor >= TrafficClasses.leaves(.connection).minor ? .connection : nil
    }
}
