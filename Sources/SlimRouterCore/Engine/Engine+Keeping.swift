internal import CSlimABI
internal import Crypto
internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// What survives this router, and what it takes over from the one before it.
extension Engine {
    private static let oldKeyLifetime: Duration = .seconds(2)

    /// Tells the keeper something; a keeper that is gone is no reason to stop serving, and one that hangs is waited for once.
    func remember(_ what: (KeeperLink) throws(Errno) -> Void) {
        guard !isKeeperLost else { return }
        do throws(Errno) { try what(keeper) } catch {
            isKeeperLost = true
            if error == .wouldBlock { keeper.end() }
            log.error("keeper", "the keeper does not answer (\(error)); another one is started")
            replaceKeeper()
        }
    }

    private func replaceKeeper() {
        let directory = settings.directory
        do throws(Errno) {
            try startThread(named: "slim-keeper") { [mailbox] in
                // One that fails again and again takes nobody's time.
                pause(.seconds(1))
                let next = Result { () throws(RouterError) in try KeeperLink(directory: directory) }
                mailbox.post { $0.entrust(next) }
            }
        } catch { entrust(.failure(RouterError("\(directory)/keeper.sock: \(error)"))) }
    }

    /// Gives another keeper all that there is to keep.
    private func entrust(_ next: Result<KeeperLink, RouterError>) {
        do throws(RouterError) {
            let next = try next.get()
            flight.keeper = next.descriptor
            keeper = next
        } catch {
            log.error("keeper", "\(error); listeners will not survive this router: restart it")
            return
        }
        isKeeperLost = false
        remember { keeper throws(Errno) in
            for port in dataPorts { try keeper.keep(port) }
            for (id, inbound) in inboundKeys { try keeper.keep(key: id, of: inbound.peer.name, inbound.key) }
            for listener in listeners.values { try keeper.keep(listener) }
        }
        if !isKeeperLost { log.warning("keeper", "there is a keeper again: listeners survive this router") }
    }

    /// Continues what an earlier router began: its containers must have been added.
    func adopt(_ kept: KeptState) {
        forgetEnded()
        takeOverPairs()
        connections.forEach { _, connection in
            guard let container = containersByNamespace[connection.namespace] else { return }
            container.connectionCount += 1
            if connection.isPortPooled { container.ports.claim(connection.local.port) }
        }
        noteLeftovers()
        var listeners = kept.listeners
        if kept.hasMore { remember { keeper throws(Errno) in listeners = try keeper.takeListeners() } }
        for listener in listeners { adopt(listener) }
        adoptKeys(kept)
        serveDataPorts()
        for arrival in kept.arrivals { takeOver(arrival) }
        hasAdopted = true
    }

    /// What ended while there was no router. Nobody waits for this one yet.
    private func forgetEnded() {
        connections.beginAge()
        do throws(NetlinkError) {
            let live = try Self.liveSockets()
            var next: UInt32? = 0
            while let start = next { next = forgetEnded(live, from: start) }
        } catch { log.error("resynchronise", "\(error); connections may be shown that have ended") }
    }

    private func adopt(_ kept: KeptState.Listener) {
        let description = kept.description
        // A program was quick: the keeper has it from this router.
        guard listeners[SocketCookie(rawValue: description.program_end)] == nil else { return }
        let namespace = NamespaceCookie(rawValue: description.namespace_cookie)
        guard let container = containersByNamespace[namespace], let endpoint = description.endpoint.endpoint,
            let family = KernelAddress.Family(rawValue: CInt(description.family))
        else {
            // Its container is gone: whoever still holds the channel keeps a silent listener.
            return remember { keeper throws(Errno) in try keeper.drop(listener: description.id) }
        }
        let original = kept.original.take()
        let options = SocketOptions(of: original.raw, family: family).changed(from: container.defaults(family))
        let listener = Listener(
            id: description.id, container: container, endpoint: endpoint, family: family,
            isV6Only: description.is_v6_only == 1, original: original, channel: kept.channel.take(),
            programEnd: SocketCookie(rawValue: description.program_end), options: options)
        do throws(Errno) { try serve(listener) } catch { log.error("adopt", "listener on \(endpoint): \(error)") }
    }

    /// Keys of the earlier router let in what had arrived, and was not looked at, when it ended.
    private func adoptKeys(_ kept: KeptState) {
        for key in kept.keys {
            guard let peer = key.peer == local.name ? local : peers[key.peer], inboundKeys[key.id] == nil else {
                continue
            }
            let inbound = InboundKey(peer: peer, key: SymmetricKey(data: key.secret))
            inbound.expiry = .now + Self.oldKeyLifetime
            add(inbound, id: key.id)
        }
    }
}
