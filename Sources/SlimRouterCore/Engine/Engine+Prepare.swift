internal import CSlimABI
internal import SlimControl
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Connections that are prepared for programs which connect to the same destination again and again: the next `connect` is
/// one write in the program's own thread, and asks nobody.
///
/// A prepared socket is a connection that was handed over early. It is in the table, in SYN_SENT and bound for its
/// destination, from the beginning; the kernel tells of its end, used or not.
extension Engine {
    /// Two connects in so short a time, and there may be a third.
    private static let repeatInterval: Duration = .seconds(1)
    private static let programLimitMilliseconds: UInt64 = 3000
    private static let mostWaiting = 4096
    private static let mostQueues = 512
    private static let mostQueuesPerContainer = 64

    /// Whether there may be another connection. If not, what is prepared is taken back, for others' sake: when the kernel has
    /// told of its end there may be.
    func findRoom() -> Bool {
        if connections.count < settings.connections { return true }
        if waiting > 0 { drainQueues { _ in true } }
        return false
    }

    // MARK: Giving a queue

    /// The queue from which the program's next connections to the destination are taken, if there is to be one.
    func queue(for pending: PendingConnect, to peer: Peer, portFamily: KernelAddress.Family) -> PreparedQueue? {
        guard pending.isPristine, settings.preparedPerContainer > 0 else { return nil }
        let link = pending.link
        if let known = link.queues.first(where: { $0.contact == pending.contact && $0.family == pending.family }) {
            if !pending.wantsQueue, known.portFamily == portFamily {
                known.batch.miss()
                return known
            }
            // The program has lost it, or the listener is another by now.
            close(known)
        }
        guard pending.wantsQueue, link.isRepeated(pending.destination, within: Self.repeatInterval),
            link.queues.count < Int(SLIM_QUEUE_SLOTS), queues.count < Self.mostQueues,
            link.container.queueCount < Self.mostQueuesPerContainer, mayPrepare(pending.contact, peer, portFamily)
        else { return nil }
        return try? open(pending, peer, portFamily)
    }

    private func open(_ pending: PendingConnect, _ peer: Peer, _ portFamily: KernelAddress.Family) throws(Errno)
        -> PreparedQueue
    {
        let ends = try LocalSocket.pair()
        let routerEnd = OwnedDescriptor(ends.0)
        let programEnd = OwnedDescriptor(ends.1)
        // What is never read makes the end of the queue known before what is left in it.
        try fill(programEnd)
        let unitBytes = try measure(routerEnd, programEnd)
        let queue = PreparedQueue(
            routerEnd, programEnd, unitBytes: unitBytes, for: pending, to: peer, portFamily: portFamily)
        queue.token = sources.add(.queue(queue))
        do throws(Errno) { try epoll.add(queue.descriptor, [], token: queue.token) } catch {
            sources.remove(queue.token)
            throw error
        }
        queues[ObjectIdentifier(queue)] = queue
        queue.link.queues.append(queue)
        queue.link.container.queueCount += 1
        if preparedDue == nil { preparedDue = .now + Self.tick }
        return queue
    }

    /// What the kernel takes for a message that is not read yet: the same for each.
    private func measure(_ routerEnd: borrowing OwnedDescriptor, _ programEnd: borrowing OwnedDescriptor)
        throws(Errno) -> Int
    {
        try LocalSocket.send(slim_prepared(), to: routerEnd.raw)
        let bytes = LocalSocket.unreadBytes(routerEnd.raw)
        let room = UnsafeMutableRawBufferPointer(rebasing: scratch[..<MemoryLayout<slim_prepared>.size])
        guard bytes > 0, try LocalSocket.receive(from: programEnd.raw, into: room) != nil else {
            throw .invalidArgument
        }
        return bytes
    }

    /// Whether a connection to the destination would be handed over at once, were it asked for now.
    private func mayPrepare(_ contact: Contact, _ peer: Peer, _ portFamily: KernelAddress.Family) -> Bool {
        guard !security.isClosed, denial(contact) == nil,
            !isWithinOneContainer(contact.source, contact.destination.address),
            containersByAddress[contact.source].map(isByPacketsOnly) == false
        else { return false }
        if peer === local {
            guard let container = containersByAddress[contact.destination.address], !isByPacketsOnly(container),
                let listener = container.listener(for: contact.destination)
            else { return false }
            return !listener.isPaused && listener.family == portFamily && peer.fastOpenWorks
        }
        return peer.isConnected && peer.isKeyAccepted && peer.takesVoids && peer.fastOpenWorks && isProvenNow(peer)
            && peer.resolutions[contact]?.verdict == (portFamily == .v4 ? .listening : .listeningV6)
    }

    // MARK: Filling

    /// The queue has become low; or the program has shut its end down.
    func service(_ queue: PreparedQueue, _ interest: Epoll.Interest) {
        if interest.contains(.hangUp) || interest.contains(.error) { return close(queue) }
        fill(queue)
    }

    /// Sees to it that there are as many as are likely to be used soon.
    func fill(_ queue: PreparedQueue) {
        guard !queue.link.isClosed, queues[ObjectIdentifier(queue)] != nil else { return }
        settle(queue)
        let now = ContinuousClock.now
        queue.batch.adapt(at: now)
        let container = queue.link.container
        let count = min(
            queue.batch.step(from: queue.items.count), queue.batch.target - queue.items.count,
            settings.preparedPerContainer - container.waiting,
            Self.mostWaiting - waiting, settings.connections / 4 * 3 - connections.count)
        var isFilling = false
        if count > 0, mayPrepare(queue.contact, queue.peer, queue.portFamily) {
            makeRoom(in: queue)
            let deadline = monotonicMilliseconds() + Self.programLimitMilliseconds
            do throws(Errno) {
                for _ in 0..<count { try prepareOne(queue, now, deadline) }
                isFilling = queue.items.count < queue.batch.target
            } catch {
                if error != .wouldBlock {
                    log.warning("prepare", "no connection is prepared to \(queue.peer.name): \(error)")
                }
            }
        }
        arm(queue, isFilling: isFilling)
    }

    private func makeRoom(in queue: PreparedQueue) {
        guard queue.low != queue.batch.low else { return }
        queue.low = queue.batch.low
        // The kernel doubles it.
        try? LocalSocket.setSendBuffer(
            queue.descriptor, bytes: CInt(queue.low * queue.unitBytes * 4 / 2), beyondLimit: true)
    }

    private func prepareOne(_ queue: PreparedQueue, _ now: ContinuousClock.Instant, _ deadline: UInt64) throws(Errno) {
        let peer = queue.peer
        let container = queue.link.container
        guard let port = peer.nextPort(for: queue.portFamily == .v4 ? .v4 : .v6),
            let address = KernelAddress(Endpoint(peer.address, port), for: queue.family)
        else { throw .wouldBlock }
        let socket = try StreamSocket.open(queue.family, nonblocking: true)
        try StreamSocket.set(.fastOpenWithoutCookie, 1, on: socket.raw)
        if peer === local { unpace(socket.raw) }
        let source = Endpoint(queue.contact.source, container.ports.take())
        let destination = queue.contact.destination
        var isKept = false
        defer { if !isKept { container.ports.release(source.port) } }
        try shape(socket.raw, of: container, from: source.address, to: destination)
        try StreamSocket.connectOnWrite(socket.raw, to: address)
        try secure(socket.raw, local: source, peer: destination)
        if !queue.isNonblocking { try StreamSocket.setNonblocking(socket.raw, false) }
        let cookie = try StreamSocket.cookie(socket.raw)
        let connection = Connection(
            namespace: container.namespace, direction: .outgoing, local: source, peer: destination,
            isPortPooled: true, isPrepared: true, since: wallClockSeconds())
        guard enter(connection, cookie, of: container) else { throw .wouldBlock }
        isKept = true
        container.unused += 1
        unused.insert(cookie)
        let counter = peer.issue.next(for: queue.contact)
        do throws(Errno) {
            let message = message(queue, counter, cookie, source, deadline)
            try LocalSocket.send(message, to: queue.descriptor, passing: socket.raw)
        } catch {
            forget(cookie)
            throw error
        }
        queue.items.append(PreparedQueue.Item(cookie: cookie, counter: counter, preparedAt: now))
        container.waiting += 1
        waiting += 1
    }

    private func message(
        _ queue: PreparedQueue, _ counter: UInt64, _ cookie: SocketCookie, _ source: Endpoint, _ deadline: UInt64
    ) -> slim_prepared {
        let destination = queue.contact.destination
        var message = slim_prepared()
        message.header = slim_header(
            SLIM_OP_PREPARED, flags: queue.isNonblocking ? SLIM_PREPARED_NONBLOCK.rawValue : 0)
        message.cookie = cookie.rawValue
        message.deadline = deadline
        message.local = slim_address(source)
        message.peer = slim_address(destination)
        let preamble = Preamble(
            flags: queue.joins && queue.peer === local ? [.prepared, .joined] : .prepared, keyID: queue.peer.keyID,
            counter: counter, source: source, destination: destination)
        withUnsafeMutableBytes(of: &message.preamble) { preamble.encode(into: $0, with: queue.peer.authenticator) }
        return message
    }

    /// Is told that the queue is low: at once, after whatever else has happened, where it is and more could be made just now. Where
    /// none could be made the next tick looks at it.
    func arm(_ queue: PreparedQueue, isFilling: Bool = false) {
        let isWanted = isFilling || !queue.isLow
        guard isWanted != queue.isArmed else { return }
        queue.isArmed = isWanted
        try? epoll.change(queue.descriptor, isWanted ? .write : [], token: queue.token)
    }
}
