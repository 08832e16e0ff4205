internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// The connection that a router has accepted and not yet given to a program, noted where it outlives the router: when that is
/// killed its heir, a process that shares its descriptors, passes the connection to the keeper.
///
/// Of one thread at a time.
package final class Flight: @unchecked Sendable {
    private let memory: UnsafeMutablePointer<slim_flight>

    /// Nobody inherits before ``appointHeir(lock:)``.
    ///
    /// The corresponding C function is `mmap`.
    package init() throws(Errno) {
        guard let memory = slim_flight_map() else { throw Errno(rawValue: errno) }
        self.memory = memory
    }

    deinit { slim_flight_unmap(memory) }

    /// Starts the heir. It ends when this process has.
    ///
    /// The corresponding C function is `clone`, with `CLONE_FILES`.
    /// - Parameter lock: let go last: who holds it next finds nothing left of this process.
    package func appointHeir(lock: CInt) throws(Errno) {
        let code = slim_heir_start(memory, lock)
        if code != 0 { throw Errno(rawValue: code) }
    }

    /// The connection to the keeper.
    package var keeper: CInt {
        get { memory.pointee.keeper }
        set { memory.pointee.keeper = newValue }
    }

    /// Where the preamble of a connection is read to.
    package var room: UnsafeMutableRawBufferPointer {
        let offset = MemoryLayout<slim_flight>.offset(of: \.preamble) ?? 0
        return UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(memory) + offset, count: Int(SLIM_PREAMBLE_LENGTH))
    }

    /// Connections are accepted from the backlog of a container's own listening socket.
    ///
    /// - Parameter listener: its number with the keeper.
    package func begin(_ listener: UInt64, _ original: CInt) {
        memory.pointee.original = original
        memory.pointee.listener = listener
    }

    /// No longer.
    package func endListener() { memory.pointee.listener = 0 }

    /// A connection was accepted.
    package func take(_ connection: borrowing OwnedDescriptor) {
        room.storeBytes(of: 0, as: UInt32.self)
        memory.pointee.connection = connection.raw
        memory.pointee.state = SLIM_FLIGHT_TAKEN.rawValue
    }

    /// It is about to be given to a program.
    package func give() {
        if memory.pointee.state == SLIM_FLIGHT_TAKEN.rawValue { memory.pointee.state = SLIM_FLIGHT_GIVEN.rawValue }
    }

    /// Somebody looks after it, or it is about to be closed: its number may then be another's.
    package func end() { memory.pointee.state = SLIM_FLIGHT_NONE.rawValue }
}
