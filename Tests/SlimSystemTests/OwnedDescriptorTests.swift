import Glibc
import SlimSystem
import SystemPackage
import Testing

func isOpen(_ fd: CInt) -> Bool { getsockopt(fd, SOL_SOCKET, SO_TYPE, nil, nil) != -1 || errno != EBADF }

/// Descriptor numbers are the process's: nothing else may open any meanwhile. A high number is nobody else's.
func high(_ fd: CInt) -> CInt { fcntl(fd, F_DUPFD_CLOEXEC, CInt.random(in: 3000...15000)) }

struct OwnedDescriptorTests {
    private static func make() throws -> CInt {
        let low = try LocalSocket.connected()
        return high(low.one.raw)
    }

    @Test func `it is closed at the end of its life`() throws {
        let raw = try Self.make()
        do {
            let owned = OwnedDescriptor(raw)
            #expect(isOpen(owned.raw))
        }
        #expect(!isOpen(raw))
    }

    @Test func `released, it stays open`() throws {
        let raw = try Self.make()
        #expect(OwnedDescriptor(raw).release() == raw)
        #expect(isOpen(raw))
        close(raw)
    }

    @Test func `a duplicate is the same socket with a life of its own, closed at exec`() throws {
        let raw = try Self.make()
        let copy = try duplicate(OwnedDescriptor(raw))
        #expect(!isOpen(raw))
        #expect(isOpen(copy.raw))
        #expect(fcntl(copy.raw, F_GETFD) & FD_CLOEXEC != 0)
    }

    private func duplicate(_ owned: consuming OwnedDescriptor) throws -> OwnedDescriptor {
        let copy = try owned.duplicate()
        #expect(try StreamSocket.cookie(copy.raw) == StreamSocket.cookie(owned.raw))
        return copy
    }

    @Test func `a system call's error is thrown at once, and an interrupted one is repeated`() throws {
        #expect(throws: Errno.badFileDescriptor) { try systemCall { close(-1) } }
        var attempts = 0
        let result = try systemCall { () -> CInt in
            attempts += 1
            errno = EINTR
            return attempts < 3 ? -1 : 7
        }
        #expect(result == 7)
        #expect(attempts == 3)
    }
}
