import CSlimSocket

/// What the library may do in this process. A program that seals itself with a seccomp filter is left alone as far as the
/// filter demands: no call of ours may be the one that it is killed for.
enum Sandbox {
    static var mayLook: Bool { slim_permitted() & UInt32(SLIM_MAY_LOOK) != 0 }
    static var mayAccept: Bool { slim_permitted() & UInt32(SLIM_MAY_ACCEPT) != 0 }
    static var mayAsk: Bool { slim_permitted() & UInt32(SLIM_MAY_ASK) != 0 }

    private static let mostInstructions = 4096

    /// What a filter takes from the library: each purpose for which one call at least would not be let through.
    static func forbidden(by filter: Filter) -> UInt32 {
        var count = 0
        var forbidden: UInt32 = 0
        guard let calls = slim_own_calls(&count) else { return forbidden }
        for index in 0..<count where !filter.allows(calls[index].data) { forbidden |= calls[index].purpose }
        // Whoever may not look cannot tell what it is about to ask for.
        let looks = UInt32(SLIM_MAY_LOOK)
        let accepts = UInt32(SLIM_MAY_ACCEPT)
        if forbidden & (looks | accepts) != 0 { forbidden |= UInt32(SLIM_MAY_ASK) }
        return forbidden
    }

    /// The filter that a program passes to the kernel; `nil` when the kernel will not take it.
    static func filter(at address: UnsafeRawPointer) -> Filter? {
        guard Kernel.isReadable(address, MemoryLayout<slim_program>.size) else { return nil }
        let program = address.loadUnaligned(as: slim_program.self)
        let count = Int(program.count)
        guard (1...mostInstructions).contains(count), let first = program.instructions,
            Kernel.isReadable(first, count * MemoryLayout<slim_instruction>.stride)
        else { return nil }
        return Filter(instructions: UnsafeBufferPointer(start: first, count: count))
    }

    /// Puts the listening sockets of this process back in the place of their channels: from these it could not accept.
    ///
    /// Channels that it has inherited stay: they are its parent's.
    static func takeListenersBack() {
        guard let table = slim_channel_table() else { return }
        for index in 0..<Int(SLIM_NOTE_SLOTS) / 64 where table[index] != 0 {
            for bit in 0..<64 where table[index] & 1 << UInt64(bit) != 0 {
                let fd = CInt(index * 64 + bit)
                if Channel(fd) != nil { _ = Channel.takeBack(fd) }
            }
        }
    }

    /// Remembers that this process has put a channel at a descriptor.
    static func noteChannel(_ fd: CInt) {
        guard fd >= 0, fd < SLIM_NOTE_SLOTS, let table = slim_channel_table() else { return }
        // Threads may put channels at once.
        while true {
            let word = slim_load(table + Int(fd) / 64)
            if slim_exchange(table + Int(fd) / 64, word, word | 1 << UInt64(fd % 64)) != 0 { return }
        }
    }
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_yield_to_filter(_ program: UnsafeRawPointer?) {
    var forbidden = UInt32(SLIM_MAY_LOOK | SLIM_MAY_ACCEPT | SLIM_MAY_ASK)
    if let program, Sandbox.mayLook {
        // The kernel has the error for what is no filter.
        guard let filter = Sandbox.filter(at: program) else { return }
        forbidden = Sandbox.forbidden(by: filter)
    }
    guard forbidden != 0 else { return }
    if Sandbox.mayAsk {
        if forbidden & UInt32(SLIM_MAY_ACCEPT) != 0 { Sandbox.takeListenersBack() }
        slim_pass_on()
    }
    slim_forbid(forbidden)
}
