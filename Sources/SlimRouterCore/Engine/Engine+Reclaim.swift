internal import CSlimABI
internal import SlimSystem

/// What was prepared and not used is taken back.
extension Engine {
    private static let idleLimit: Duration = .seconds(1)
    /// What waits longer is taken back, well before programs leave it alone, well before it is void.
    private static let ageLimit: Duration = .seconds(2)
    /// How far a counter may fall behind, of what the other router remembers.
    private static let counterLimit = PreparedWindow.size / 2

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
    func tendPrepared(_ now: ContinuousClock.Instant) {
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
