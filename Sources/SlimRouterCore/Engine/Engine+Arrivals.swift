internal import SlimGuard
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Incoming connections on the data ports: who says in a valid preamble what it is becomes a connection in a
/// container's accept channel; all else is reset.
extension Engine {
    private static let mostArrivals = 4096
    private static let backlog: CInt = 4096

    func openDataPorts(_ kept: KeptState) throws(RouterError) {
        let (v4, v6) = Self.split(settings.dataPorts)
        for (ports, family) in [(v4, KernelAddress.Family.v4), (v6, .v6)] {
            for port in ports {
                // An IPv4 socket cannot be reached in an IPv6 underlay: those connections take the packet overlay.
                guard let address = KernelAddress(Endpoint(settings.host.underlay, port), for: family) else { continue }
                do throws(Errno) {
                    var socket = kept.socket(for: port, at: address)
                    // What came from a router without the guard would give sockets that cannot be guarded.
                    if let raw = socket?.raw, security.guard?.canTag(raw) == false { socket = nil }
                    if socket == nil { socket = try openDataPort(at: address) }
                    guard let socket else { continue }
                    // One of an earlier version may not have been told.
                    unpace(socket.raw)
                    let dataPort = DataPort(socket, port: port)
                    remember { keeper throws(Errno) in try keeper.keep(dataPort) }
                    dataPorts.append(dataPort)
                } catch {
                    throw RouterError(
                        "data port \(port) on \(settings.host.underlay): \(error); "
                            + "free it (ss -tlnp shows who has it) or choose others in router.json: ports.data")
                }
            }
        }
    }

    /// Begins to accept: what an earlier router left in the backlogs finds its listeners and keys by then.
    func serveDataPorts() {
        for port in dataPorts {
            do throws(Errno) { try serve(port) } catch {
                log.error("epoll", "data port \(port.port) is not served: \(error)")
            }
        }
    }

    func serve(_ port: DataPort) throws(Errno) {
        port.token = sources.add(.dataPort(port))
        try epoll.add(port.descriptor.raw, .read, token: port.token)
    }

    func openDataPort(at address: KernelAddress) throws(Errno) -> OwnedDescriptor {
        guard let family = address.family else { throw .invalidArgument }
        let socket = try StreamSocket.open(family, nonblocking: true)
        if family == .v6 { try StreamSocket.set(.v6Only, 0, on: socket.raw) }
        try StreamSocket.set(.reuseAddress, 1, on: socket.raw)
        try StreamSocket.bind(socket.raw, to: address)
        unpace(socket.raw)
        try StreamSocket.set(.fastOpenQueue, Self.backlog, on: socket.raw)
        try StreamSocket.set(.fastOpenWithoutCookie, 1, on: socket.raw)
        try StreamSocket.listen(socket.raw, backlog: Self.backlog)
        return socket
    }

    /// Takes one connection. When there are more, epoll says so again, which costs less than an `accept` that finds nothing: that
    /// makes a socket and throws it away.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    func accept(on port: DataPort) -> Bool {
        do throws(Errno) {
            var peer = KernelAddress()
            guard let connection = try StreamSocket.accept(port.descriptor.raw, peer: &peer) else { return false }
            flight.take(connection)
            defer { flight.end() }
            try hear(connection)
            return true
        } catch { return !starve(error, of: port.descriptor.raw, port.token) }
    }

    /// A connection has come: reads its preamble, or waits for it.
    private func hear(_ connection: consuming OwnedDescriptor) throws(Errno) {
        let count = try StreamSocket.receive(connection.raw, into: flight.room) ?? 0
        if count == Preamble.byteCount {
            receive(connection, UnsafeRawBufferPointer(flight.room))
        } else {
            try wait(for: connection, first: UnsafeRawBufferPointer(rebasing: flight.room[..<count]))
        }
    }

    /// What the router before this one was at when it was killed. It is not noted again: it may be what killed that one.
    func takeOver(_ arrival: KeptState.Arrival) {
        let connection = arrival.connection.take()
        guard let preamble = arrival.preamble else { return (try? hear(connection)) ?? () }
        flight.room.copyBytes(from: preamble)
        receive(connection, UnsafeRawBufferPointer(flight.room))
    }

    /// Takes all that have arrived by now at ports that are served: what comes to this thread's notice next must not count against them.
    func acceptAll() {
        for port in dataPorts where port.token != 0 {
            var left = Self.backlog
            while left > 0, accept(on: port) { left -= 1 }
        }
    }

    private func wait(
        for connection: consuming OwnedDescriptor, first: UnsafeRawBufferPointer
    ) throws(Errno) {
        if arrivals.count >= Self.mostArrivals, let oldest = arrivals.oldest { drop(oldest, because: "too many wait") }
        let raw = connection.raw
        let arrival = Arrival(connection, deadline: .now + Self.preambleTimeout, first: first)
        arrival.token = sources.add(.arrival(arrival))
        do throws(Errno) { try epoll.add(raw, .read, token: arrival.token) } catch {
            sources.remove(arrival.token)
            throw error
        }
        arrivals.append(arrival)
    }

    func proceed(_ arrival: Arrival) {
        guard let raw = arrival.descriptor?.raw else { return }
        let rest = UnsafeMutableRawBufferPointer(rebasing: arrival.buffer[arrival.received...])
        do throws(Errno) {
            guard let count = try StreamSocket.receive(raw, into: rest) else { return }
            guard count > 0 else { return drop(arrival, because: "it ended early") }
            arrival.received += count
        } catch { return drop(arrival, because: "\(error)") }
        guard arrival.received == Preamble.byteCount, let connection = remove(arrival) else { return }
        receive(connection, UnsafeRawBufferPointer(arrival.buffer))
    }

    func drop(_ arrival: Arrival, because reason: String) {
        guard let connection = remove(arrival) else { return }
        turnAway(connection, because: reason)
    }

    private func remove(_ arrival: Arrival) -> OwnedDescriptor? {
        // Its descriptor is there as long as it is in the list.
        guard let connection = arrival.descriptor.take() else { return nil }
        arrivals.remove(arrival)
        sources.remove(arrival.token)
        epoll.remove(connection.raw)
        return connection
    }

    /// Resets a connection whose preamble was not accepted.
    private func turnAway(_ connection: consuming OwnedDescriptor, because reason: String) {
        flight.end()
        counters.preamblesRejected += 1
        log.warning("preamble", "a connection on the data ports was reset: \(reason)")
        StreamSocket.resetOnClose(connection.raw)
    }

    private func receive(_ connection: consuming OwnedDescriptor, _ bytes: UnsafeRawBufferPointer) {
        guard let keyID = Preamble.keyID(in: bytes) else { return turnAway(connection, because: "no preamble") }
        guard let key = inboundKeys[keyID], key.expiry.map({ $0 > .now }) ?? true else {
            return turnAway(connection, because: "unknown key")
        }
        guard let preamble = Preamble(bytes, with: key.authenticator) else {
            return turnAway(connection, because: "it is not authentic (from \(key.peer.name), it says)")
        }
        guard isFresh(preamble, under: key) else { return turnAway(connection, because: "replayed, or void") }
        if preamble.flags.contains(.probe) { return flight.end() }
        guard key.peer.record.owns(preamble.source.address) else {
            return turnAway(connection, because: "\(key.peer.name) does not own \(preamble.source.address)")
        }
        // Where another kind of listener has come in the place of one meanwhile, it is given the connection all the same.
        guard let container = containersByAddress[preamble.destination.address],
            let listener = container.listener(for: preamble.destination)
        else { return turnAway(connection, because: "nothing listens on \(preamble.destination)") }
        guard ingressDenial(from: preamble.source.address, to: preamble.destination) == nil else {
            counters.arrivalsDenied += 1
            // The other router had asked before the policy changed, or the policy differs between the two ends.
            flight.end()
            return StreamSocket.resetOnClose(connection.raw)
        }
        if key.peer === local { join(connection.raw, preamble, listener) } else { pace(connection.raw) }
        admit(connection, preamble, to: listener)
    }

    private func isFresh(_ preamble: Preamble, under key: InboundKey) -> Bool {
        guard preamble.flags.contains(.prepared) else { return key.window.accept(preamble.counter) }
        let contact = Contact(source: preamble.source.address, destination: preamble.destination)
        return key.prepared.accept(preamble.counter, of: contact, at: .now)
    }

    private func admit(_ connection: consuming OwnedDescriptor, _ preamble: Preamble, to listener: Listener) {
        guard findRoom(), let cookie = try? StreamSocket.cookie(connection.raw) else {
            return turnAway(connection, because: "this host has \(connections.count) connections (limits.connections)")
        }
        refreshOptions(of: listener)
        if !listener.options.isEmpty { listener.options.apply(to: connection.raw) }
        do throws(Errno) {
            try shape(
                connection.raw, of: listener.container, from: preamble.source.address, to: preamble.destination)
            try secure(connection.raw, local: preamble.destination, peer: preamble.source)
        } catch { return turnAway(connection, because: "it cannot be limited or guarded: \(error)") }
        enter(
            Connection(
                namespace: listener.container.namespace, direction: .incoming, local: preamble.destination,
                peer: preamble.source, isPortPooled: false, since: wallClockSeconds()), cookie, of: listener.container)
        let message = AcceptChannel.message(cookie: cookie, local: preamble.destination, peer: preamble.source)
        deliver(connection, message, to: listener)
        counters.accepted += 1
    }
}
