internal import Crypto
internal import SlimControl
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// What peers say over their control connections, and what they are told.
extension Engine {
    private static let mostInterest = 200_000
    private static let oldKeyLifetime: Duration = .seconds(30)
    /// So many keys of one peer count at a time: one that makes more has lost its connections, or is up to something.
    static let mostKeys = 8

    func update(hosts records: [HostRecord]) {
        let names = Set(records.map(\.name))
        for name in peers.keys where !names.contains(name) { forget(peerNamed: name) }
        for record in records {
            if let peer = peers[record.name], peer.address == record.underlay {
                if peer.record != record { peer.resolutions.removeAll() }
                peer.record = record
            } else {
                forget(peerNamed: record.name)
                peers[record.name] = Peer(record: record, address: record.underlay)
            }
        }
        hosts = HostTable(records)
    }

    private func forget(peerNamed name: String) {
        guard let peer = peers.removeValue(forKey: name) else { return }
        disconnect(peer, reason: "it is no longer in the registry")
        forgetParties(of: peer)
        for id in peer.inboundKeys where inboundKeys[id]?.peer === peer { inboundKeys[id] = nil }
    }

    func handle(_ event: ControlEvent) {
        switch event {
        case .connected(let name):
            guard let peer = peers[name] else { return }
            disconnect(peer, reason: "it connected anew")
            peer.isConnected = true
            peer.disconnectReason = nil
            peer.renewKey()
            peer.fastOpenWorks = false
            let secret = peer.key.withUnsafeBytes { Array($0) }
            _ = send(
                .key(PreambleKey(id: peer.keyID, secret: secret, dataPorts: settings.dataPorts, voids: true)), name)
            peer.arriving = []
            _ = send(.containers(ContainerUpdate(.last, present: ownIdentities)), name)
        case .disconnected(let name, let reason):
            if let peer = peers[name] { disconnect(peer, reason: reason) }
        case .message(let message, let name):
            if let peer = peers[name] { handle(message, from: peer) }
        }
    }

    /// Without its router a host's containers are reached by the packet overlay. Established connections do not care.
    private func disconnect(_ peer: Peer, reason: String) {
        peer.isConnected = false
        peer.isKeyAccepted = false
        peer.disconnectReason = reason
        peer.ports = ([], [])
        peer.provenAt = nil
        closeQueues(to: peer)
        endPrepared(of: peer)
        peer.resolutions.removeAll()
        endProof(peer) { fallBack($0) }
        let queries = peer.queries.values
        openQueries -= queries.count
        peer.queries = [:]
        peer.asked = [:]
        for query in queries { for pending in query.waiting { fallBack(pending) } }
        interest.forget(peer.name)
    }

    private func handle(_ message: ControlMessage, from peer: Peer) {
        switch message {
        case .key(let key): take(key, from: peer)
        case .keyAccepted(let id):
            guard id == peer.keyID else { return }
            peer.isKeyAccepted = true
            probe(peer)
        case .resolve(let query): answer(query, from: peer)
        case .resolved(let answer): finish(answer, from: peer)
        case .invalidate(let destinations):
            for destination in destinations { peer.resolutions.remove(destination) }
            drainQueues { $0.peer === peer && destinations.contains($0.contact.destination) }
        case .invalidateAll:
            peer.resolutions.removeAll()
            drainQueues { $0.peer === peer }
        case .void(let notice): take(notice, from: peer)
        case .voided(let id): finishVoiding(id)
        case .containers(let update): take(update, from: peer)
        case .explain(let query): answer(query, from: peer)
        case .explained(let answer): finish(answer, from: peer)
        }
    }

    private func take(_ key: PreambleKey, from peer: Peer) {
        if let known = inboundKeys[key.id], known.peer !== peer {
            return log.warning("key \(peer.name)", "host \(peer.name) has chosen the number of another host's key")
        }
        let expiry = ContinuousClock.now + Self.oldKeyLifetime
        peer.inboundKeys.removeAll { id in
            guard let old = inboundKeys[id], old.peer === peer else { return true }
            if old.expiry.map({ $0 <= .now }) ?? false {
                inboundKeys[id] = nil
                return true
            }
            old.expiry = old.expiry ?? expiry
            return false
        }
        endPrepared(of: peer)
        // The oldest end first.
        while peer.inboundKeys.count >= Self.mostKeys { inboundKeys[peer.inboundKeys.removeFirst()] = nil }
        let inbound = InboundKey(peer: peer, key: SymmetricKey(data: key.secret))
        add(inbound, id: key.id)
        remember { keeper throws(Errno) in try keeper.keep(key: key.id, of: peer.name, inbound.key) }
        peer.announcedPorts = key.dataPorts
        peer.takesVoids = key.voids
        peer.ports = ([], [])
        peer.provenAt = nil
        endProof(peer) { fallBack($0) }
        _ = send(.keyAccepted(id: key.id), peer.name)
        if peer.isKeyAccepted { probe(peer) }
    }

    func add(_ key: InboundKey, id: UInt64) {
        inboundKeys[id] = key
        key.peer.inboundKeys.removeAll { $0 == id }
        key.peer.inboundKeys.append(id)
    }

    /// What a peer may know about one of our destinations. It is told when the answer changes.
    private func answer(_ query: ResolveQuery, from peer: Peer) {
        let verdict: ResolveVerdict
        var isSilent = false
        if !peer.record.owns(query.source) {
            verdict = .denied
        } else if let mode = ingressDenial(from: query.source, to: query.destination) {
            verdict = .denied
            isSilent = mode == .drop
        } else if let container = containersByAddress[query.destination.address] {
            switch isByPacketsOnly(container) ? nil : container.listener(for: query.destination) {
            case _? where security.isClosed: verdict = .busy
            case let listener? where listener.isPaused: verdict = .busy
            case let listener?: verdict = listener.family == .v4 ? .listening : .listeningV6
            case nil: verdict = .notListening
            }
        } else {
            verdict = .unknownEndpoint
        }
        // Half of the room is for what is there: whoever scans ports cannot fill it.
        let isThere = verdict == .listening || verdict == .listeningV6
        let isCacheable = interest.count < (isThere ? Self.mostInterest : Self.mostInterest / 2)
        if isCacheable { interest.insert(peer.name, for: query.destination) }
        let answer = ResolveAnswer(id: query.id, verdict: verdict, isSilent: isSilent, cacheable: isCacheable)
        _ = send(.resolved(answer), peer.name)
    }

    private func finish(_ answer: ResolveAnswer, from peer: Peer) {
        guard let query = close(query: answer.id, of: peer) else { return }
        if answer.cacheable { peer.resolutions.insert(answer, for: query.contact) }
        for pending in query.waiting { act(on: answer, pending, peer) }
    }

    /// A question is answered, or will not be.
    @discardableResult
    func close(query id: UInt64, of peer: Peer) -> Peer.Query? {
        guard let query = peer.queries.removeValue(forKey: id) else { return nil }
        peer.asked[query.contact] = nil
        openQueries -= 1
        return query
    }

    /// Tells every peer that was told something else about the listener's addresses.
    func invalidate(_ listener: Listener) {
        let container = listener.container
        let addresses =
            listener.endpoint.address.isUnspecified
            ? [container.ipv4, container.ipv6].compactMap { $0 } : [listener.endpoint.address]
        for address in addresses { invalidate(Endpoint(address, listener.endpoint.port)) }
    }

    /// A container came or went: whatever was said about its address no longer holds.
    func invalidate(_ address: IPAddress) {
        for destination in interest.destinations(at: address) { invalidate(destination) }
        drainQueues { $0.peer === local && $0.contact.destination.address == address }
    }

    private func invalidate(_ destination: Endpoint) {
        drainQueues { $0.peer === local && $0.contact.destination == destination }
        for name in interest.take(destination) { _ = send(.invalidate([destination]), name) }
    }
}
