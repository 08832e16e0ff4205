import CSlimSocket

/// Remembers the last epoll registration of each descriptor number, so that it can be repeated when the descriptor
/// behind the number is replaced. A stale note is harmless: the kernel says that there is nothing to withdraw.
enum EpollNotes {
    struct Registration {
        let epoll: CInt
        let events: UInt32
        let data: UInt64

        func restore(_ fd: CInt) {
            var event = slim_bytes()
            withUnsafeMutableBytes(of: &event) { bytes in
                bytes.storeBytes(of: events, as: UInt32.self)
                bytes.storeBytes(of: data, toByteOffset: dataOffset, as: UInt64.self)
            }
            _ = Kernel.quietly { slim_real_epoll_ctl(epoll, SLIM_EPOLL_ADD, fd, &event) }
        }
    }

    // struct epoll_event is packed on x86-64 only.
    #if arch(x86_64)
        private static let dataOffset = 4
    #else
        private static let dataOffset = 8
    #endif

    static func note(epoll: CInt, operation: CInt, fd: CInt, event: UnsafeRawPointer?) {
        guard fd >= 0, fd < SLIM_NOTE_SLOTS else { return }
        let slot = slim_note_table() + Int(fd)
        if operation == SLIM_EPOLL_DEL {
            if slim_load(&slot.pointee.target) >> 32 == UInt64(epoll) + 1 { slim_store(&slot.pointee.target, 0) }
        } else if let event {
            let events = event.loadUnaligned(as: UInt32.self)
            slim_store(&slot.pointee.data, event.loadUnaligned(fromByteOffset: dataOffset, as: UInt64.self))
            slim_store(&slot.pointee.target, (UInt64(epoll) + 1) << 32 | UInt64(events))
        }
    }

    /// Ends the registration of the file that is at the descriptor now; `nil` when there was none.
    static func withdraw(_ fd: CInt) -> Registration? {
        guard fd >= 0, fd < SLIM_NOTE_SLOTS else { return nil }
        let slot = slim_note_table() + Int(fd)
        let target = slim_load(&slot.pointee.target)
        guard target != 0 else { return nil }
        let registration = Registration(
            epoll: CInt(truncatingIfNeeded: target >> 32) - 1, events: UInt32(truncatingIfNeeded: target),
            data: slim_load(&slot.pointee.data))
        let code = Kernel.quietly {
            slim_real_epoll_ctl(registration.epoll, SLIM_EPOLL_DEL, fd, nil)
        }
        return code == 0 ? registration : nil
    }
}

// The name is that of the C header.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func slim_epoll_ctl(_ epoll: CInt, _ operation: CInt, _ fd: CInt, _ event: UnsafeMutableRawPointer?) -> CInt {
    let result = slim_real_epoll_ctl(epoll, operation, fd, event)
    if result == 0 { EpollNotes.note(epoll: epoll, operation: operation, fd: fd, event: event) }
    return result
}
