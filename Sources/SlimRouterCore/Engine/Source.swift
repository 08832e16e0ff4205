/// What a registered descriptor is to the connection thread.
enum Source {
    case vacant
    case mailbox
    case door(Container)
    case application(ApplicationLink)
    case original(Listener)
    case channel(Listener)
    case dataPort(DataPort)
    case arrival(Arrival)
    case departure(Departure)
    case queue(PreparedQueue)
    case socketEnds
}

/// The registrations of the connection thread: a token names one for as long as it lasts, and nothing afterwards.
struct SourceTable {
    private var slots: [(generation: UInt32, source: Source)] = []
    private var free: [UInt32] = []

    mutating func add(_ source: Source) -> UInt64 {
        if let index = free.popLast() {
            slots[Int(index)].source = source
            return UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
        }
        slots.append((1, source))
        return 1 << 32 | UInt64(slots.count - 1)
    }

    mutating func remove(_ token: UInt64) {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return }
        slots[index].source = .vacant
        slots[index].generation &+= 1
        free.append(UInt32(index))
    }

    /// What a token stands for; `vacant` when its registration has ended, also within the same batch of events.
    subscript(token: UInt64) -> Source {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return .vacant }
        return slots[index].source
    }
}
