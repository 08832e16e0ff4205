import CSlimABI
import CSlimSocket

/// The queues of connections that the router has prepared for destinations this process connects to again and again.
///
/// A queue is a descriptor from which each message is taken by exactly one: threads need no lock. It is recognised by its
/// cookie before each use, as the connection to the router is, and lasts no longer than that connection: a forked child
/// has another, and finds its parent's queues stale. Each entry of the table is a sequence lock that nobody waits for, so
/// that it may be used in a signal handler.
enum PreparedConnections {
    struct Queue {
        fileprivate let slot: UnsafeMutablePointer<slim_queue>
        fileprivate let sequence: UInt32
        fileprivate let entry: slim_queue
    }

    /// A host socket whose connection has begun.
    struct Connection {
        fileprivate let descriptor: CInt
        fileprivate let message: slim_prepared

        /// Puts it in the place of the application's socket, with the options that were changed on that.
        ///
        /// - Returns: `false` when another thread has closed that one meanwhile.
        func replace(_ fd: CInt, _ cookie: UInt64, _ changes: PristineSockets.Changes) -> Bool {
            guard Kernel.cookie(fd) == cookie else {
                _ = Kernel.quietly { slim_close(descriptor) }
                return false
            }
            KnownSockets.store(message.cookie, local: message.local, peer: message.peer)
            Options.carry(changes, from: fd, to: descriptor)
            return Kernel.replace(fd, with: descriptor)
        }
    }

    private static var slots: UnsafeMutableBufferPointer<slim_queue> {
        UnsafeMutableBufferPointer(start: slim_queue_table(), count: Int(SLIM_QUEUE_SLOTS))
    }

    /// The queue for a destination, if there is one.
    static func queue(for destination: slim_address) -> Queue? {
        let link = RouterLink.cookie
        guard link != 0, let table = slots.baseAddress else { return nil }
        for index in 0..<slots.count {
            let queue = read(table + index)
            guard let queue, queue.entry.cookie != 0, queue.entry.destination.isSame(as: destination) else { continue }
            if queue.entry.link == link { return queue }
            queue.end()
        }
        return nil
    }

    /// Keeps a queue that the router has given: at a high number, out of the program's way.
    static func add(_ descriptor: CInt, for destination: slim_address) {
        Kernel.quietly { () -> Void in
            var entry = slim_queue()
            entry.descriptor = slim_fcntl(descriptor, SLIM_F_DUPFD_CLOEXEC, RouterLink.preferredDescriptor + 1)
            if entry.descriptor < 0 { entry.descriptor = descriptor } else { _ = slim_close(descriptor) }
            entry.cookie = Kernel.cookie(entry.descriptor)
            entry.link = RouterLink.cookie
            entry.destination = destination
            guard entry.link != 0, let place = place(for: entry) else {
                _ = slim_close(entry.descriptor)
                return
            }
            guard place.write(entry) else {
                _ = slim_close(entry.descriptor)
                return
            }
            if place.entry.cookie != 0 { place.closeDescriptor() }
        }
    }

    /// Where a queue may go: what is there for the same destination, an empty place, one of an earlier connection to the
    /// router, or any: that one's destination is asked for again.
    private static func place(for entry: slim_queue) -> Queue? {
        guard let table = slots.baseAddress else { return nil }
        var best: Queue?
        var bestRank = -1
        for index in 0..<slots.count {
            guard let queue = read(table + index) else { continue }
            let other = queue.entry
            let rank =
                other.cookie == 0
                ? 3 : other.destination.isSame(as: entry.destination) ? 4 : other.link != entry.link ? 2 : 0
            // Of those that are all in use, the one that the new one's identity picks.
            let isPicked = rank == 0 && UInt64(index) == entry.cookie % UInt64(SLIM_QUEUE_SLOTS)
            if rank > bestRank || isPicked && bestRank == 0 {
                best = queue
                bestRank = rank
            }
        }
        return best
    }

    private static func read(_ slot: UnsafeMutablePointer<slim_queue>) -> Queue? {
        let before = slim_load32(&slot.pointee.sequence)
        guard before & 1 == 0 else { return nil }
        let entry = slot.pointee
        slim_fence()
        return slim_load32(&slot.pointee.sequence) == before ? Queue(slot: slot, sequence: before, entry: entry) : nil
    }
}

extension PreparedConnections.Queue {
    // A queue that brings nothing but what cannot be used is not ours.
    private static let mostTries = 64

    /// Takes a connection out, and begins it.
    ///
    /// - Returns: `nil` when none is there; the router is to be asked.
    func take(isNonblocking: Bool) -> PreparedConnections.Connection? {
        let saved = slim_errno()
        let cancelState = slim_set_cancel_state(1)
        defer {
            _ = slim_set_cancel_state(cancelState)
            slim_set_errno(saved)
        }
        guard Kernel.cookie(entry.descriptor) == entry.cookie else {
            forget()
            return nil
        }
        for _ in 0..<Self.mostTries {
            var message = slim_prepared()
            var socket: CInt = -1
            let size = MemoryLayout<slim_prepared>.size
            let count = slim_receive(
                entry.descriptor, &message, size, &socket, SLIM_MSG_CMSG_CLOEXEC | SLIM_MSG_DONTWAIT)
            if count <= 0 {
                // An empty message can have a descriptor too.
                if socket >= 0 { _ = slim_close(socket) }
                // Empty; or the router has ended it.
                if count == 0 || slim_errno() != SLIM_EAGAIN { end() }
                return nil
            }
            guard socket >= 0 else { return nil }
            if count == size, isUsable(message), begin(message, socket, isNonblocking) {
                return PreparedConnections.Connection(descriptor: socket, message: message)
            }
            _ = slim_close(socket)
        }
        return nil
    }

    private func isUsable(_ message: slim_prepared) -> Bool {
        message.header.magic == UInt32(SLIM_ABI_MAGIC) && message.header.version == UInt16(SLIM_ABI_VERSION)
            && message.header.operation == UInt16(SLIM_OP_PREPARED.rawValue)
            && message.peer.isSame(as: entry.destination.unmapped) && slim_nanoseconds() / 1_000_000 < message.deadline
    }

    /// Writes the preamble, with which the SYN leaves.
    private func begin(_ message: slim_prepared, _ socket: CInt, _ isNonblocking: Bool) -> Bool {
        let length = Int(SLIM_PREAMBLE_LENGTH)
        let sent = withUnsafeBytes(of: message.preamble) { slim_send_at_once(socket, $0.baseAddress, length) }
        guard sent == length else { return false }
        if isNonblocking != (message.header.flags & SLIM_PREPARED_NONBLOCK.rawValue != 0) {
            _ = slim_fcntl(socket, SLIM_F_SETFL, SLIM_O_RDWR | (isNonblocking ? SLIM_O_NONBLOCK : 0))
        }
        return true
    }

    /// Lets the queue go.
    fileprivate func end() {
        // Whoever wins the entry closes the descriptor, once.
        if write(slim_queue()) { closeDescriptor() }
    }

    /// The number is another's by now.
    private func forget() { _ = write(slim_queue()) }

    fileprivate func closeDescriptor() {
        if Kernel.cookie(entry.descriptor) == entry.cookie { _ = Kernel.quietly { slim_close(entry.descriptor) } }
    }

    /// - Returns: `false` when another has written since this was read.
    fileprivate func write(_ new: slim_queue) -> Bool {
        guard slim_exchange32(&slot.pointee.sequence, sequence, sequence &+ 1) != 0 else { return false }
        slim_fence()
        slot.pointee.descriptor = new.descriptor
        slot.pointee.cookie = new.cookie
        slot.pointee.link = new.link
        slot.pointee.destination = new.destination
        slim_store32(&slot.pointee.sequence, sequence &+ 2)
        return true
    }
}

extension slim_address {
    /// Family, port and address are the same.
    func isSame(as other: slim_address) -> Bool {
        guard family == other.family, port == other.port else { return false }
        return withUnsafeBytes(of: bytes) { mine in
            withUnsafeBytes(of: other.bytes) { theirs in
                for index in 0..<mine.count where mine[index] != theirs[index] { return false }
                return true
            }
        }
    }
}
