import CSlimSocket

/// Questions to the kernel about a descriptor. None changes errno.
enum Kernel {
    /// An integer option of a socket; `nil` for what is not a socket or does not have it.
    static func option(_ fd: CInt, _ level: CInt, _ name: CInt) -> CInt? {
        var value: CInt = 0
        var length = UInt32(MemoryLayout<CInt>.size)
        return quietly { slim_real_getsockopt(fd, level, name, &value, &length) } == 0 ? value : nil
    }

    static func socketOption(_ fd: CInt, _ name: CInt) -> CInt? {
        option(fd, SLIM_SOL_SOCKET, name)
    }

    /// A 64-bit option of a socket: `SO_COOKIE` or `SO_NETNS_COOKIE`; 0 when there is none.
    static func cookie(_ fd: CInt, _ name: CInt = SLIM_SO_COOKIE) -> UInt64 {
        var value: UInt64 = 0
        var length = UInt32(MemoryLayout<UInt64>.size)
        let code = quietly {
            slim_real_getsockopt(fd, SLIM_SOL_SOCKET, name, &value, &length)
        }
        return code == 0 ? value : 0
    }

    static func isTCP(_ fd: CInt) -> Bool {
        socketOption(fd, SLIM_SO_PROTOCOL) == SLIM_IPPROTO_TCP
    }

    /// Whether the TCP state machine is in CLOSE: never connected, refused, reset, or ended.
    static func isClosed(_ fd: CInt) -> Bool {
        var state: UInt8 = 0
        var length: UInt32 = 1
        let code = quietly {
            slim_real_getsockopt(
                fd, SLIM_IPPROTO_TCP, SLIM_TCP_INFO, &state, &length)
        }
        return code == 0 && state == UInt8(SLIM_TCP_CLOSE)
    }

    static func statusFlags(_ fd: CInt) -> CInt? {
        let flags = quietly { slim_fcntl(fd, SLIM_F_GETFL, 0) }
        return flags < 0 ? nil : flags
    }

    static func isCloseOnExec(_ fd: CInt) -> Bool {
        let flags = quietly { slim_fcntl(fd, SLIM_F_GETFD, 0) }
        return flags > 0 && flags & SLIM_FD_CLOEXEC != 0
    }

    /// Puts a descriptor where the application holds another, keeps that one's close-on-exec and epoll registration,
    /// and closes the first.
    ///
    /// - Returns: `false` when the kernel refused; both descriptors are then as before, the first closed.
    static func replace(_ fd: CInt, with replacement: CInt) -> Bool {
        let flags = isCloseOnExec(fd) ? SLIM_O_CLOEXEC : 0
        let registration = EpollNotes.withdraw(fd)
        let done = quietly { slim_dup3(replacement, fd, flags) } >= 0
        _ = quietly { slim_close(replacement) }
        registration?.restore(fd)
        return done
    }

    /// Whether the descriptor table has room for one more, as `accept` finds out before it takes a connection.
    static func hasRoom(besides fd: CInt) -> Bool {
        let spare = quietly { slim_fcntl(fd, SLIM_F_DUPFD_CLOEXEC, 0) }
        guard spare >= 0 else { return false }
        _ = quietly { slim_close(spare) }
        return true
    }

    /// Whether memory that the application passed can be read: a wild pointer is an error of a call, not a crash.
    static func isReadable(_ address: UnsafeRawPointer, _ count: Int) -> Bool {
        let last = address + max(0, count - 1)
        // No page is smaller: most of what is looked at lies in one.
        let isOnePage = UInt(bitPattern: address) / 4096 == UInt(bitPattern: last) / 4096
        return quietly { isOnePage ? slim_readable(address) : slim_readable(address) & slim_readable(last) } != 0
    }

    @inline(__always)
    static func quietly(_ body: () -> CInt) -> CInt {
        let saved = slim_errno()
        let result = body()
        slim_set_errno(saved)
        return result
    }

    @inline(__always)
    static func quietly(_ body: () -> Void) {
        let saved = slim_errno()
        body()
        slim_set_errno(saved)
    }
}

@inline(__always)
func fail(_ code: CInt) -> CInt {
    slim_set_errno(code)
    return -1
}
