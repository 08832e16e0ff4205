internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Listening sockets: taken over, fed from the data ports and from the container itself, let go when the program does.
extension Engine {
    func listen(_ link: ApplicationLink, _ header: slim_header, _ original: consuming OwnedDescriptor) {
        let sequence = header.sequence
        let container = link.container
        guard let family = StreamSocket.family(original.raw),
            (try? namespaceCookie(of: original.raw)) == container.namespace, StreamSocket.isListening(original.raw)
        else {
            container.disposal.close(original)
            return reject(link, "listen for a descriptor that is no listening TCP socket of the container")
        }
        guard container.listenerCount < settings.listenersPerContainer else {
            log.warning(
                "listeners \(container.name)",
                "container \(container.name): more than \(settings.listenersPerContainer) listeners; further ones are reached "
                    + "by the packet overlay (limits.listenersPerContainer)")
            return reply(to: link, SLIM_OP_LISTEN, sequence, SLIM_VERDICT_FALLBACK)
        }
        do throws(Errno) {
            guard let endpoint = try StreamSocket.localAddress(original.raw).endpoint,
                endpoint.address.isUnspecified || container.address(endpoint.address.family) == endpoint.address
            else { return reply(to: link, SLIM_OP_LISTEN, sequence, SLIM_VERDICT_FALLBACK) }
            let programEnd = try register(original, endpoint, family, container)
            if header.flags & SLIM_REQUEST_JOIN.rawValue != 0, loadPairs() {
                listeners[try StreamSocket.cookie(programEnd.raw)]?.isJoining = true
            }
            reply(to: link, SLIM_OP_LISTEN, sequence, SLIM_VERDICT_DONE, passing: programEnd.raw)
        } catch {
            log.error("listen", "container \(container.name): a listener stays on the packet overlay: \(error)")
            reply(to: link, SLIM_OP_LISTEN, sequence, SLIM_VERDICT_FALLBACK)
        }
    }

    private func register(
        _ original: consuming OwnedDescriptor, _ endpoint: Endpoint, _ family: KernelAddress.Family,
        _ container: Container
    ) throws(Errno) -> OwnedDescriptor {
        let id = nextListenerID
        nextListenerID += 1
        let ends = try LocalSocket.pair()
        let channel = OwnedDescriptor(ends.0)
        let programEnd = OwnedDescriptor(ends.1)
        let name = Self.channelName(id: id, endpoint: endpoint, family: family)
        try LocalSocket.bind(channel.raw, to: "@" + name)
        try LocalSocket.setSendBuffer(channel.raw, bytes: 4 << 20, beyondLimit: true)
        try fill(programEnd)
        let isV6Only = family == .v6 ? try StreamSocket.get(.v6Only, on: original.raw) == 1 : false
        try StreamSocket.setNonblocking(original.raw, true)
        let listener = Listener(
            id: id, container: container, endpoint: endpoint, family: family, isV6Only: isV6Only,
            original: original, channel: channel, programEnd: try StreamSocket.cookie(programEnd.raw),
            options: SocketOptions(of: original.raw, family: family).changed(from: container.defaults(family)))
        remember { keeper throws(Errno) in try keeper.keep(listener) }
        try serve(listener)
        return programEnd
    }

    /// From now on the listener is fed, and known to peers.
    func serve(_ listener: Listener) throws(Errno) {
        listener.originalToken = sources.add(.original(listener))
        listener.channelToken = sources.add(.channel(listener))
        do throws(Errno) {
            try epoll.add(listener.original.raw, .read, token: listener.originalToken)
            try epoll.add(listener.channel.raw, [], token: listener.channelToken)
        } catch {
            epoll.remove(listener.original.raw)
            sources.remove(listener.originalToken)
            sources.remove(listener.channelToken)
            remember { keeper throws(Errno) in try keeper.drop(listener: listener.id) }
            throw error
        }
        enter(listener)
    }

    /// Puts a listener into every table.
    func enter(_ listener: Listener) {
        listeners[listener.programEnd] = listener
        listener.container.listeners[listener.endpoint.port, default: []].append(listener)
        listener.container.listenerCount += 1
        invalidate(listener)
    }

    /// Whoever holds the program's end learns by getpeername() what it is.
    static func channelName(id: UInt64, endpoint: Endpoint, family: KernelAddress.Family) -> String {
        var address = slim_address(endpoint)
        if family == .v6, endpoint.address.family == .v4 {
            // A dual-stack socket bound to an IPv4 address shows it v4-mapped: the family is the socket's.
            withUnsafeMutableBytes(of: &address.bytes) { bytes in
                let bits = (endpoint.address.v4Bits ?? 0).bigEndian
                bytes.storeBytes(of: 0, as: UInt64.self)
                bytes.storeBytes(of: UInt32(0xffff_0000).littleEndian, toByteOffset: 8, as: UInt32.self)
                bytes.storeBytes(of: bits, toByteOffset: 12, as: UInt32.self)
            }
        }
        address.family = UInt16(family.rawValue)
        func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let number = withUnsafeBytes(of: id.bigEndian) { hexadecimal($0) }
        return SLIM_CHANNEL_PREFIX + number + "/" + withUnsafeBytes(of: address) { hexadecimal($0) }
    }

    /// A listening socket is never writable: nor is the program's end, once its small send buffer is full.
    func fill(_ programEnd: borrowing OwnedDescriptor) throws(Errno) {
        try LocalSocket.setSendBuffer(programEnd.raw, bytes: 1)
        let filler = InlineArray<1024, UInt8>(repeating: 0)
        for _ in 0..<64 {
            do throws(Errno) { try LocalSocket.send(filler, to: programEnd.raw) } catch {
                if error == .wouldBlock { return }
                throw error
            }
        }
    }

    /// The original socket's own connections: clients without SlimSocket, and the container's loopback.
    func acceptPlain(_ listener: Listener) {
        // The program may hold the same open file (dup or fork before listen) and make it blocking: this thread must not.
        try? StreamSocket.setNonblocking(listener.original.raw, true)
        flight.begin(listener.id, listener.original.raw)
        defer { flight.endListener() }
        for _ in 0..<64 {
            do throws(Errno) {
                guard let plain = try AcceptChannel.acceptPlain(listener.original.raw) else { return }
                flight.take(plain.connection)
                defer { flight.end() }
                counters.acceptedPlain += 1
                let message = plain.message
                deliver(plain.takeConnection(), message, to: listener)
                if listener.isPaused { return }
            } catch {
                if starve(error, of: listener.original.raw, listener.originalToken) { return }
                // EINVAL: the program has shut the listener down by a descriptor of its own. Its hang-up, which is reported
                // whether it is wanted or not, would be for ever.
                if error == .invalidArgument { epoll.remove(listener.original.raw) }
                return
            }
        }
    }

    func deliver(_ connection: consuming OwnedDescriptor, _ message: slim_accept, to listener: Listener) {
        listener.accepted += 1
        listener.container.deliveries += 1
        listener.lastServed = listener.container.deliveries
        flight.give()
        if listener.parked.isEmpty, put(message, connection.raw, into: listener) { return }
        flight.end()
        guard !listener.isClosed else { return StreamSocket.resetOnClose(connection.raw) }
        guard listener.container.parkedCount < settings.parkedPerContainer else {
            return StreamSocket.resetOnClose(connection.raw)
        }
        if listener.parked.isEmpty { try? epoll.change(listener.channel.raw, .write, token: listener.channelToken) }
        listener.parked.append(Listener.Parked(descriptor: connection.release(), message: message))
        listener.container.parkedCount += 1
        if listener.container.parkedCount >= settings.parkedPerContainer { pause(listener) }
    }

    /// - Returns: `false` when the channel is full, or the program gone.
    private func put(_ message: slim_accept, _ connection: CInt, into listener: Listener) -> Bool {
        do throws(Errno) {
            try LocalSocket.send(message, to: listener.channel.raw, passing: connection)
            return true
        } catch {
            if error != .wouldBlock { close(listener) }
            return false
        }
    }

    /// Events on the router's end of a channel: room for what is parked, or the program's end is closed everywhere.
    func service(_ listener: Listener, _ interest: Epoll.Interest) {
        if interest.contains(.hangUp) { return close(listener) }
        var sent = 0
        for waiting in listener.parked {
            guard put(waiting.message, waiting.descriptor, into: listener) else { break }
            _ = OwnedDescriptor(waiting.descriptor)
            sent += 1
        }
        listener.parked.removeFirst(sent)
        guard !listener.isClosed else { return }
        listener.container.parkedCount -= sent
        guard listener.parked.isEmpty else { return }
        try? epoll.change(listener.channel.raw, [], token: listener.channelToken)
        if listener.isPaused {
            listener.isPaused = false
            try? epoll.change(listener.original.raw, .read, token: listener.originalToken)
            invalidate(listener)
        }
    }

    /// A server that does not accept: what comes on waits in the kernel's own backlog, as it would without Slim.
    private func pause(_ listener: Listener) {
        listener.isPaused = true
        try? epoll.change(listener.original.raw, [], token: listener.originalToken)
        invalidate(listener)
    }

    /// Takes a listener out of every table; its sockets stay open.
    func withdraw(_ listener: Listener) {
        guard listeners.removeValue(forKey: listener.programEnd) != nil else { return }
        let container = listener.container
        container.listeners[listener.endpoint.port]?.removeAll { $0 === listener }
        if container.listeners[listener.endpoint.port]?.isEmpty == true {
            container.listeners[listener.endpoint.port] = nil
        }
        container.listenerCount -= 1
        container.parkedCount -= listener.parked.count
        epoll.remove(listener.original.raw)
        epoll.remove(listener.channel.raw)
        sources.remove(listener.originalToken)
        sources.remove(listener.channelToken)
        remember { keeper throws(Errno) in try keeper.drop(listener: listener.id) }
        keeperIsBehind = true
        invalidate(listener)
    }

    func close(_ listener: Listener) {
        withdraw(listener)
        listener.isClosed = true
    }

    func refreshOptions(of listener: Listener) {
        guard listener.optionsMayHaveChanged else { return }
        listener.optionsMayHaveChanged = false
        listener.options = SocketOptions(of: listener.original.raw, family: listener.family)
            .changed(from: listener.container.defaults(listener.family))
    }
}
