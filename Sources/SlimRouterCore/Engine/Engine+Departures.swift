internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Connections of the router's own: probes of peers' data ports, and connects that wait for their handshake.
extension Engine {
    func add(_ departure: Departure) throws(Errno) {
        guard let raw = departure.descriptor?.raw else { return }
        departure.token = sources.add(.departure(departure))
        do throws(Errno) { try epoll.add(raw, .write, token: departure.token) } catch {
            sources.remove(departure.token)
            throw error
        }
        departures[ObjectIdentifier(departure)] = departure
    }

    /// The handshake has ended, well or not.
    func proceed(_ departure: Departure, _ interest: Epoll.Interest) {
        guard let socket = remove(departure) else { return }
        if StreamSocket.pendingError(socket.raw) != nil || interest.contains(.hangUp) || interest.contains(.error) {
            return fail(departure)
        }
        switch departure.purpose {
        case .probe(let peer, let port):
            if departure.isFastOpen {
                learn(peer, fastOpenWorks: StreamSocket.wasFastOpened(socket.raw))
            } else {
                _ = try? StreamSocket.send(socket.raw, departure.preamble)
            }
            admit(port, of: peer)
            prove(peer, in: departure.startedAt.duration(to: .now))
        case .connect(let pending, let source):
            if let mode = newDenial(of: pending) {
                if pending.isPortPooled { pending.link.container.ports.release(source.port) }
                return deny(pending, mode)
            }
            do throws(Errno) {
                let sent = try StreamSocket.send(socket.raw, departure.preamble)
                guard sent == Preamble.byteCount else { throw .noBufferSpace }
                try StreamSocket.setNonblocking(socket.raw, pending.isNonblocking)
                try handOver(socket, pending, source: source)
            } catch { fail(departure) }
        }
    }

    func giveUp(_ departure: Departure) {
        _ = remove(departure)
        fail(departure)
    }

    private func fail(_ departure: Departure) {
        switch departure.purpose {
        case .probe(let peer, let port):
            log.warning(
                "probe \(peer.name)",
                "host \(peer.name): data port \(port) does not answer; until it does, the packet overlay carries connections "
                    + "there. Is TCP \(port) open between the hosts?")
            probesDue = .now + Self.probeRetry
            if (peer.ports.v4 + peer.ports.v6).contains(port) { suspect(peer) }
        case .connect(let pending, let source):
            if pending.isPortPooled { pending.link.container.ports.release(source.port) }
            fallBack(pending)
        }
    }

    private func remove(_ departure: Departure) -> OwnedDescriptor? {
        departures[ObjectIdentifier(departure)] = nil
        sources.remove(departure.token)
        guard let socket = departure.descriptor.take() else { return nil }
        epoll.remove(socket.raw)
        return socket
    }

    /// Finds out which of a peer's data ports answer, and whether data in a SYN gets there.
    func probe(_ peer: Peer) {
        let usable = peer.ports.v4 + peer.ports.v6
        for port in peer.announcedPorts where !usable.contains(port) {
            do throws(Errno) { try probe(peer, port, withData: true) } catch {
                log.warning("probe \(peer.name)", "host \(peer.name): data port \(port): \(error)")
                probesDue = .now + Self.probeRetry
            }
        }
    }

    /// Sends a probe to one data port.
    ///
    /// - Parameter withData: in the SYN. Where that does not get through, the probe takes a second.
    func probe(_ peer: Peer, _ port: Port, withData: Bool) throws(Errno) {
        let nowhere = Endpoint(settings.host.underlay, Port(0))
        let preamble = Preamble(
            flags: .probe, keyID: peer.keyID, counter: peer.nextCounter(), source: nowhere, destination: nowhere)
        let bytes = UnsafeMutableRawBufferPointer(rebasing: scratch[..<Preamble.byteCount])
        preamble.encode(into: bytes, with: peer.authenticator)
        let family: KernelAddress.Family = peer.address.family == .v4 ? .v4 : .v6
        guard let address = KernelAddress(Endpoint(peer.address, port), for: family) else {
            throw .addressFamilyNotSupported
        }
        let socket = try StreamSocket.open(family, nonblocking: true)
        var isFastOpen = false
        if withData {
            isFastOpen = try connectWithData(socket, UnsafeRawBufferPointer(bytes), to: address)
        } else {
            try connectPlainly(socket, to: address)
        }
        try add(
            Departure(
                socket, purpose: .probe(peer, port), preamble: Array(bytes), isFastOpen: isFastOpen,
                deadline: .now + Self.probeTimeout))
    }

    /// - Returns: whether the data went with the SYN.
    private func connectWithData(
        _ socket: borrowing OwnedDescriptor, _ bytes: UnsafeRawBufferPointer, to address: KernelAddress
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            try StreamSocket.set(.fastOpenWithoutCookie, 1, on: socket.raw)
            return try StreamSocket.fastOpen(socket.raw, bytes, to: address) == bytes.count
        } catch {
            if error == .notSupportedOnSocket { try connectPlainly(socket, to: address) }
            if error != .nowInProgress && error != .notSupportedOnSocket { throw error }
            return false
        }
    }

    private func connectPlainly(_ socket: borrowing OwnedDescriptor, to address: KernelAddress) throws(Errno) {
        do throws(Errno) { try StreamSocket.connect(socket.raw, to: address) } catch {
            if error != .nowInProgress { throw error }
        }
    }

    func probeAgain() {
        probesDue = nil
        for peer in peers.values where peer.isConnected && peer.isKeyAccepted { probe(peer) }
    }

    private func admit(_ port: Port, of peer: Peer) {
        let (v4, v6) = Self.split(peer.announcedPorts)
        if v4.contains(port), !peer.ports.v4.contains(port) { peer.ports.v4.append(port) }
        if v6.contains(port), !peer.ports.v6.contains(port) { peer.ports.v6.append(port) }
    }

    /// The first half of a host's data ports accepts IPv4 sockets, the second half dual-stack IPv6 sockets.
    static func split(_ ports: [Port]) -> (v4: [Port], v6: [Port]) {
        let half = (ports.count + 1) / 2
        return (Array(ports[..<half]), Array(ports[half...]))
    }
}
