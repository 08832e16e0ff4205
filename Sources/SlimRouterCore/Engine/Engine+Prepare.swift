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
    private static let idleLimit: Duration = .seconds(1)
    /// What waits longer is taken back, well before programs leave it alone, well before it is void.
    private static let ageLimit: Duration = .seconds(2)
    private static let programLimitMilliseconds: UInt64 = 3000
    private static let mostWaiting = 4096
    private static let mostQueues = 512
    private static let mostQueuesPerContainer = 64
    /// How far a counter may fall behind, of what the other router remembers.
    private static let counterLimit = PreparedWindow.size / 2

    /// Whether there are as many connections as there may be. Any that is prepared may be used at any time; for others'
    /// sake they go first.
    func isFull() -> Bool {
        guard connections.count >= settings.connections else { return false }
        drainQueues { _ in true }
        return true
    }

    // MARK: Giving a queue

    /// The queue from which the program's next connections to the destination are taken, if there is to be one.
    ///
    /// - Returns: also whether the program has to be given it.
    func queue(for pending: PendingConnect, to peer: Peer, portFamily: KernelAddress.Family) -> (PreparedQueue, Bool)? {
        guard pending.isPristine, settings.preparedPerContainer > 0 else { return nil }
        let link = pending.link
        if let known = link.queues.first(where: { $0.contact == pending.contact && $0.family == pending.family }) {
            if !pending.wantsQueue, known.portFamily == portFamily {
                known.batch.miss()
                return (known, false)
            }
            // The program has lost it, or the listener is another by now.
            close(known)
        }
        guard pending.wantsQueue, link.isRepeated(pending.destination, within: Self.repeatInterval),
            link.queues.count < Int(SLIM_QUEUE_SLOTS), queues.count < Self.mostQueues,
            link.container.queueCount < Self.mostQueuesPerContainer, mayPrepare(pending.contact, peer, portFamily),
            let queue = try? open(pending, peer, portFamily)
        else { return nil }
        return (queue, true)
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
        if count > 0, mayPrepare(queue.contact, queue.peer, queue.portFamily) {
            makeRoom(in: queue)
            let deadline = monotonicMilliseconds() + Self.programLimitMilliseconds
            do throws(Errno) { for _ in 0..<count { try prepareOne(queue, now, deadline) } } catch {
                if error != .wouldBlock {
                    log.warning("prepare", "no connection is prepared to \(queue.peer.name): \(error)")
                }
            }
        }
        arm(queue)
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
        let source = Endpoint(queue.contact.source, container.ports.take())
        let destination = queue.contact.destination
        var isKept = false
        defer { if !isKept { container.ports.release(source.port) } }
        shape(socket.raw, of: container, queue.family, from: source.address, to: destination)
        try StreamSocket.connectOnWrite(socket.raw, to: address)
        try secure(socket.raw, local: source, peer: destination)
        if !queue.isNonblocking { try StreamSocket.setNonblocking(socket.raw, false) }
        let cookie = try StreamSocket.cookie(socket.raw)
        let connection = Connection(
            namespace: container.namespace, direction: .outgoing, local: source, peer: destination,
            isPortPooled: true, isPrepared: true, since: wallClockSeconds())
        guard connections.add(connection, cookie) else { throw .wouldBlock }
        isKept = true
        container.connectionCount += 1
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
            flags: .prepared, keyID: queue.peer.keyID, counter: counter, source: source, destination: destination)
        withUnsafeMutableBytes(of: &message.preamble) { preamble.encode(into: $0, with: queue.peer.authenticator) }
        return message
    }

    /// Is told when the queue has become low, unless it is: then the next tick looks at it.
    private func arm(_ queue: PreparedQueue) {
        let isWanted = !queue.isLow
        guard isWanted != queue.isArmed else { return }
        queue.isArmed = isWanted
        try? epoll.change(queue.descriptor, isWanted ? .write : [], token: queue.token)
    }

    // MARK: Taking back

    /// Finds out what was used: the oldest first.
    func settle(_ queue: PreparedQueue) {
        guard !queue.items.isEmpty else { return }
        let unread = (LocalSocket.unreadBytes(queue.descriptor) + queue.unitBytes - 1) / queue.unitBytes
        note(queue, used: queue.items.count - unread)
    }

    private func note(_ queue: PreparedQueue, used: Int) {
        guard used > 0 else { return }
        for item in queue.items.prefix(used) where unused.remove(item.cookie) != nil {
            queue.link.container.unused -= 1
        }
        remove(used, from: queue)
        queue.batch.use(used)
        queue.lastUse = .now
        counters.connectsPrepared += UInt64(used)
        counters.connectsHandedOver += UInt64(used)
    }

    private func remove(_ count: Int, from queue: PreparedQueue) {
        queue.items.removeFirst(count)
        queue.link.container.waiting -= count
        waiting -= count
    }

    /// Takes back what was not used. The kernel tells of the ends of these connections as of any other's: a program may
    /// have seen them.
    func drain(_ queue: PreparedQueue) {
        let room = UnsafeMutableRawBufferPointer(rebasing: scratch[..<MemoryLayout<slim_prepared>.size])
        var left = 0
        while let received = try? LocalSocket.receive(from: queue.programEnd.raw, into: room), received.byteCount > 0 {
            left += 1
        }
        note(queue, used: queue.items.count - left)
        let now = ContinuousClock.now
        for item in queue.items { drained.append((item.cookie, now)) }
        remove(queue.items.count, from: queue)
        arm(queue)
    }

    func close(_ queue: PreparedQueue) {
        guard queues.removeValue(forKey: ObjectIdentifier(queue)) != nil else { return }
        drain(queue)
        epoll.remove(queue.descriptor)
        sources.remove(queue.token)
        queue.link.queues.removeAll { $0 === queue }
        queue.link.container.queueCount -= 1
    }

    func drainQueues(where isMeant: (PreparedQueue) -> Bool) {
        for queue in queues.values where isMeant(queue) { drain(queue) }
    }

    func closeQueues(to peer: Peer) {
        for queue in queues.values where queue.peer === peer { close(queue) }
    }

    // MARK: From time to time

    /// Looks after the queues, several times a second as long as there are any or preambles are out.
    func tendPrepared() {
        let now = ContinuousClock.now
        guard let due = preparedDue, due <= now else { return }
        for queue in Array(queues.values) { tend(queue, now) }
        expirePreambles(now)
        expireDrained(now)
        let isBusy =
            !queues.isEmpty || !drained.isEmpty || local.issue.isOut || peers.values.contains { $0.issue.isOut }
            || !voidings.isEmpty
            || leftovers != nil
        preparedDue = isBusy ? now + Self.tick : nil
    }

    private func tend(_ queue: PreparedQueue, _ now: ContinuousClock.Instant) {
        settle(queue)
        if queue.lastUse + Self.idleLimit <= now { return close(queue) }
        if queue.peer !== local {
            refreshProof(of: queue.peer)
            if !isProvenNow(queue.peer) { return drain(queue) }
        }
        if let oldest = queue.items.first,
            oldest.preparedAt + Self.ageLimit <= now || oldest.counter + Self.counterLimit < queue.peer.issue.counter
        {
            return drain(queue)
        }
        if !queue.isArmed { fill(queue) }
    }

    /// What was taken back and has not ended long after is held by somebody who has seen it: that is a connection.
    private func expireDrained(_ now: ContinuousClock.Instant) {
        let old = drained.prefix { $0.at + PreparedIssue.lifetime <= now }
        for (cookie, _) in old { countAsUsed(cookie) }
        drained.removeFirst(old.count)
    }

    private func countAsUsed(_ cookie: SocketCookie) {
        guard unused.remove(cookie) != nil, let connection = connections[cookie] else { return }
        containersByNamespace[connection.namespace]?.unused -= 1
    }

    /// The connections that programs have.
    var usedCount: Int { connections.count - unused.count }

    func settleAll() { for queue in queues.values { settle(queue) } }

    // MARK: After a restart

    /// The router before this one may have prepared connections that nobody will use: they are ended when they are void.
    func noteLeftovers() {
        var cookies: Set<SocketCookie> = []
        connections.forEach { cookie, connection in if connection.isPrepared { cookies.insert(cookie) } }
        guard !cookies.isEmpty else { return }
        leftovers = (.now + PreparedIssue.lifetime, cookies)
        preparedDue = .now + Self.tick
    }
}
