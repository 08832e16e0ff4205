internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// The ends of connections. The router holds no descriptor of them: the kernel tells.
extension Engine {
    /// Takes the ends that have been told, then looks away for a while: a wake-up for each would cost more than the
    /// entry is worth.
    func drainEnds() {
        var count = 0
        let areOthersLost = ends.drain { cookie in
            count += 1
            forget(cookie)
        }
        if areOthersLost {
            counters.endsLost += 1
            resynchronise()
        }
        if count > 0 {
            try? epoll.change(ends.descriptor, [], token: endsToken)
            endsResume = .now + Self.endsPause
        } else {
            try? epoll.change(ends.descriptor, .read, token: endsToken)
        }
    }

    /// Enters a connection, before anybody is given it: the next router knows what one that is killed has given away.
    ///
    /// - Returns: `false` when the table is full.
    @discardableResult
    func enter(_ connection: Connection, _ cookie: SocketCookie, of container: Container) -> Bool {
        let count = connections.count
        guard connections.add(connection, cookie) else { return false }
        // One that the router before this was at is known already.
        container.connectionCount += connections.count - count
        return true
    }

    func forget(_ cookie: SocketCookie) {
        let wasUnused = unused.remove(cookie) != nil
        guard let connection = connections.remove(cookie),
            let container = containersByNamespace[connection.namespace]
        else { return }
        container.connectionCount -= 1
        if wasUnused { container.unused -= 1 }
        if connection.isPortPooled { container.ports.release(connection.local.port) }
    }

    /// A BPF program is not told of every end on every kernel: some virtual machines' do not run it while a processor is idle.
    ///
    /// What was missed is found before long where there are few connections, and takes the same share of a processor where
    /// there are many.
    func compareFromTimeToTime(_ now: ContinuousClock.Instant) {
        // Those that are left when many have ended are compared soon.
        if let due = comparisonDue, due > now, connections.count * 2 > comparison.waiting { return }
        comparisonDue = nil
        guard ends.mayMiss, !isResynchronising else { return }
        guard connections.count > 0 else {
            comparison.ended = now
            return
        }
        let due = comparison.ended + max(.seconds(1), comparison.cost * (connections.count * 4000))
        comparison.waiting = connections.count
        comparisonDue = due
        if due <= now { resynchronise() }
    }

    /// After ends were lost: what the kernel no longer has is gone. Listing the sockets of a busy host takes longer than
    /// programs should wait: another thread does it, and the comparison is made in parts.
    func resynchronise() {
        guard !isResynchronising else {
            isResynchronisingAgain = true
            return
        }
        isResynchronising = true
        comparison.began = .now
        comparison.count = max(1, connections.count)
        isResynchronisingAgain = false
        connections.beginAge()
        do throws(Errno) {
            try startThread(named: "slim-sockets") { [mailbox] in
                let live = Result { () throws(NetlinkError) in try Self.liveSockets() }
                mailbox.post { $0.finishResynchronising(live) }
            }
        } catch { finishResynchronising(.failure(NetlinkError(operation: "list", object: "sockets", errno: error))) }
    }

    private func finishResynchronising(_ live: Result<Set<SocketCookie>, NetlinkError>) {
        do throws(NetlinkError) { compare(with: try live.get(), from: 0) } catch {
            log.error("resynchronise", "\(error); connections may be shown that have ended")
            endComparison()
        }
    }

    /// Forgets those of a part of the table that are older than the list and not in it, and has the other parts follow.
    private func compare(with live: Set<SocketCookie>, from start: UInt32) {
        if let next = forgetEnded(live, from: start) {
            mailbox.post { $0.compare(with: live, from: next) }
        } else {
            endComparison()
            if isResynchronisingAgain { resynchronise() }
        }
    }

    private func endComparison() {
        isResynchronising = false
        comparison.ended = .now
        comparison.cost = comparison.began.duration(to: comparison.ended) / comparison.count
    }

    /// - Returns: where the next part of the table begins.
    func forgetEnded(_ live: Set<SocketCookie>, from start: UInt32) -> UInt32? {
        var ended: [SocketCookie] = []
        let next = connections.visit(from: start, atMost: 1024) { cookie, _, isYounger in
            if !isYounger, !live.contains(cookie) { ended.append(cookie) }
        }
        for cookie in ended { forget(cookie) }
        return next
    }

    /// The kernel's connections.
    ///
    /// What is left of a closed connection in TIME_WAIT, or while it waits for the peer's FIN, has the connection's cookie
    /// still. Its end was told before, and is not told again.
    static func liveSockets() throws(NetlinkError) -> Set<SocketCookie> {
        let records = try SocketDiagnostics().dump(states: TCPStates.all.subtracting(.timeWait))
        return Set(records.filter { $0.state != .finWait2 || $0.inode != 0 }.map(\.cookie))
    }
}
