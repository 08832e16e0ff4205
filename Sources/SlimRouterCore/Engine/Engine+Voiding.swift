internal import SlimControl
internal import SlimNetlink
internal import SlimPolicy
internal import SlimRegistry

/// Preambles that were prepared and must not count any longer: because they are old, or because what they are for is
/// no longer allowed. The router that they lead to is told, for a container may have kept them.
extension Engine {
    /// So long a reload waits for other routers to say that they refuse what it forbids.
    private static let voidPatience: Duration = .seconds(1)
    /// So long after a peer's connection is lost its prepared preambles still count: until then they are on the way.
    private static let lossPatience: Duration = .seconds(1)

    struct Voiding {
        let deadline: ContinuousClock.Instant
        let done: @Sendable () -> Void
    }

    /// Declares void what has become too old.
    func expirePreambles(_ now: ContinuousClock.Instant) {
        for peer in [local] + peers.values {
            if let through = peer.issue.expire(at: now) {
                if peer === local { acceptAll() }
                void(through: through, [], of: peer)
            }
        }
        for (id, voiding) in voidings where voiding.deadline <= now { finishVoiding(id) }
        if let due = leftovers?.due, due <= now {
            let cookies = leftovers?.cookies ?? []
            leftovers = nil
            cutter.cut(Array(cookies), in: .synSent, by: security.guard) {}
        }
    }

    /// Takes back, and declares void, what the policy does not allow any longer.
    ///
    /// - Parameter done: called for each notice when it has been answered, or will not be.
    /// - Returns: how many notices that are.
    @discardableResult
    func withdrawDenied(done: (@Sendable () -> Void)? = nil) -> Int {
        guard isPolicyClosed else { return 0 }
        return withdraw(done: done) { denial($0) != nil }
    }

    /// A container is gone: nobody may speak in its name.
    func withdrawAll(from container: Container) {
        withdraw { container.ipv4 == $0.source || container.ipv6 == $0.source }
    }

    /// What was prepared was so on another condition.
    func withdrawAll() { withdraw { _ in true } }

    @discardableResult
    private func withdraw(done: (@Sendable () -> Void)? = nil, where isDenied: (Contact) -> Bool) -> Int {
        var notices = 0
        for peer in [local] + peers.values {
            let contacts = peer.issue.withdraw(where: isDenied)
            guard !contacts.isEmpty else { continue }
            let addressed = Set(contacts.map(\.0))
            drainQueues { $0.peer === peer && addressed.contains($0.contact) }
            notices += void(through: 0, contacts, of: peer, done: done)
        }
        return notices
    }

    /// - Returns: how many answers are awaited.
    @discardableResult
    private func void(
        through: UInt64, _ contacts: [(Contact, UInt64)], of peer: Peer, done: (@Sendable () -> Void)? = nil
    ) -> Int {
        if peer === local {
            inboundKeys[local.keyID]?.prepared.void(through: through, contacts)
            return 0
        }
        var rest = contacts[...]
        var notices = 0
        repeat {
            let part = rest.prefix(VoidNotice.mostContacts).map { contact, counter in
                VoidNotice.Contact(source: contact.source, destination: contact.destination, through: counter)
            }
            rest = rest.dropFirst(part.count)
            let id = nextQueryID
            nextQueryID += 1
            let notice = VoidNotice(id: id, key: peer.keyID, through: through, contacts: part)
            // Without a connection the other router ends all of them by itself.
            guard send(.void(notice), peer.name) else { break }
            if let done {
                voidings[id] = Voiding(deadline: .now + Self.voidPatience, done: done)
                notices += 1
            }
        } while !rest.isEmpty
        return notices
    }

    /// A peer declares preambles void that it has made.
    func take(_ notice: VoidNotice, from peer: Peer) {
        // On a busy machine what was in time may have waited for this thread until it is too old.
        if notice.contacts.isEmpty { acceptAll() }
        if let key = inboundKeys[notice.key], key.peer === peer {
            key.prepared.void(
                through: notice.through,
                notice.contacts.map { (Contact(source: $0.source, destination: $0.destination), $0.through) })
        }
        _ = send(.voided(id: notice.id), peer.name)
    }

    func finishVoiding(_ id: UInt64) { voidings.removeValue(forKey: id)?.done() }

    /// A peer that cannot declare anything void any longer: what it has prepared counts for a moment only.
    func endPrepared(of peer: Peer) {
        for key in peer.inboundKeys.compactMap({ inboundKeys[$0] }) where key.peer === peer {
            key.prepared.end(at: .now + Self.lossPatience)
        }
    }
}
