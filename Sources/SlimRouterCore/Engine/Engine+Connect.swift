internal import CSlimABI
internal import Crypto
internal import SlimControl
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Outgoing connections: a program's connect() becomes a host socket that is already connecting.
extension Engine {
    func connect(_ link: ApplicationLink, _ request: slim_request, _ original: consuming OwnedDescriptor) {
        let container = link.container
        let sequence = request.header.sequence
        // A container cannot speak for another: what counts is the namespace that the kernel says the socket is of.
        guard (try? namespaceCookie(of: original.raw)) == container.namespace,
            let socket = socket(original.raw, request.header.flags)
        else {
            container.disposal.close(original)
            return reject(link, "connect for a descriptor that is no TCP socket of the container")
        }
        guard let destination = request.destination.endpoint, findRoom(),
            let source = sourceEndpoint(of: container, bound: socket.bound, towards: destination.address)
        else {
            container.disposal.close(original)
            return fallBack(link, sequence)
        }
        // An IPv6-only socket cannot reach an IPv4 address: the kernel has the right error for it.
        if socket.family == .v6, destination.address.family == .v4, !socket.isPristine,
            (try? StreamSocket.get(.v6Only, on: original.raw)) == 1
        {
            container.disposal.close(original)
            return fallBack(link, sequence)
        }
        route(
            PendingConnect(
                link: link, sequence: sequence,
                isNonblocking: request.header.flags & SLIM_REQUEST_NONBLOCK.rawValue != 0,
                isPristine: socket.isPristine,
                wantsQueue: request.header.flags & SLIM_REQUEST_QUEUE.rawValue != 0,
                joins: request.header.flags & SLIM_REQUEST_JOIN.rawValue != 0, original: original,
                family: socket.family, source: source,
                destination: destination))
    }

    /// What the program's socket is like. Of one that it calls pristine the router need not ask the kernel: a program that
    /// lies gets another socket than it had, and harms nobody else.
    private func socket(
        _ original: CInt, _ flags: UInt32
    ) -> (family: KernelAddress.Family, bound: Endpoint?, isPristine: Bool)? {
        guard flags & SLIM_REQUEST_PRISTINE.rawValue == 0 else {
            let isV6 = flags & SLIM_REQUEST_V6.rawValue != 0
            return (isV6 ? .v6 : .v4, Endpoint(isV6 ? .anyV6 : .anyV4, Port(0)), true)
        }
        guard let family = StreamSocket.family(original) else { return nil }
        return (family, try? StreamSocket.localAddress(original).endpoint, false)
    }

    /// Where the program's socket is bound, or will be: `nil` when the packet overlay has to decide.
    private func sourceEndpoint(of container: Container, bound: Endpoint?, towards destination: IPAddress) -> Endpoint?
    {
        guard let bound, let own = container.address(destination.family) else { return nil }
        guard bound.address.isUnspecified || bound.address == own else { return nil }
        return Endpoint(own, bound.port)
    }

    private func route(_ pending: PendingConnect) {
        if let mode = denial(of: pending) { return deny(pending, mode) }
        guard !security.isClosed, !isByPacketsOnly(pending.link.container) else { return fallBack(pending) }
        if let container = containersByAddress[pending.destination.address] {
            guard let listener = container.listener(for: pending.destination), !listener.isPaused,
                !isByPacketsOnly(container)
            else { return fallBack(pending) }
            return start(pending, to: local, family: listener.family)
        }
        guard let owner = hosts.owner(of: pending.destination.address), let peer = peers[owner], peer.isConnected,
            peer.isKeyAccepted
        else { return fallBack(pending) }
        proceed(pending, to: peer)
    }

    /// What does the peer say about the destination? While it is asked, the way to it is probed.
    func proceed(_ pending: PendingConnect, to peer: Peer) {
        guard !pending.link.isClosed else { return }
        if let answer = peer.resolutions[pending.contact] { return act(on: answer, pending, peer) }
        refreshProof(of: peer)
        ask(peer, pending)
    }

    /// Asks the peer about a destination; requests of one container for the same one wait together.
    private func ask(_ peer: Peer, _ pending: PendingConnect) {
        let contact = pending.contact
        if let id = peer.asked[contact] {
            peer.queries[id]?.waiting.append(pending)
            return suspend(pending.link)
        }
        let id = nextQueryID
        nextQueryID += 1
        let query = ResolveQuery(id: id, source: contact.source, destination: contact.destination)
        guard send(.resolve(query), peer.name) else { return fallBack(pending) }
        openQueries += 1
        peer.asked[contact] = id
        peer.queries[id] = Peer.Query(contact: contact, deadline: .now + Self.resolveTimeout, waiting: [pending])
        suspend(pending.link)
    }

    /// The link has a request under way; nothing more is read from it until that is answered.
    func suspend(_ link: ApplicationLink) {
        link.isWaiting = true
        try? epoll.change(link.descriptor.raw, [], token: link.token)
    }

    private func resume(_ link: ApplicationLink) {
        guard link.isWaiting, !link.isClosed else { return }
        link.isWaiting = false
        try? epoll.change(link.descriptor.raw, .read, token: link.token)
    }

    func act(on answer: ResolveAnswer, _ pending: PendingConnect, _ peer: Peer) {
        guard !pending.link.isClosed else { return }
        switch answer.verdict {
        case .listening, .listeningV6:
            guard isProven(peer, for: pending) else { return }
            start(pending, to: peer, family: answer.verdict == .listening ? .v4 : .v6)
        case .denied: deny(pending, answer.isSilent ? .drop : .reject)
        case .notListening, .busy, .unknownEndpoint: fallBack(pending)
        }
    }

    /// Makes the host socket, sends its SYN with the preamble in it, and hands it over while it is still connecting.
    ///
    /// - Parameter family: of the listener at the other side, whose kind of data port is chosen.
    private func start(_ pending: PendingConnect, to peer: Peer, family: KernelAddress.Family) {
        if let mode = newDenial(of: pending) { return deny(pending, mode) }
        guard let port = peer.nextPort(for: family == .v4 ? .v4 : .v6),
            let address = KernelAddress(Endpoint(peer.address, port), for: pending.family)
        else { return fallBack(pending) }
        let container = pending.link.container
        var source = pending.source
        if pending.isPortPooled { source.port = container.ports.take() }
        let preamble = Preamble(
            flags: peer === local && pending.joins ? .joined : [], keyID: peer.keyID, counter: peer.nextCounter(),
            source: source, destination: pending.destination)
        let bytes = UnsafeMutableRawBufferPointer(rebasing: scratch[..<Preamble.byteCount])
        preamble.encode(into: bytes, with: peer.authenticator)
        do throws(Errno) {
            guard peer.fastOpenWorks else {
                let socket = try StreamSocket.open(pending.family, nonblocking: true)
                if peer === local { unpace(socket.raw) }
                copyOptions(pending, to: socket)
                try shape(socket.raw, of: container, from: source.address, to: pending.destination)
                try secure(socket.raw, pending, source: source, destination: Endpoint(peer.address, port))
                return try startSlowly(pending, socket, source: source, to: address, preamble: Array(bytes))
            }
            let socket = try spares.take(pending.family)
            if peer === local { unpace(socket.raw) }
            copyOptions(pending, to: socket)
            try shape(socket.raw, of: container, from: source.address, to: pending.destination)
            try secure(socket.raw, pending, source: source, destination: Endpoint(peer.address, port))
            if pending.isNonblocking { try StreamSocket.setNonblocking(socket.raw, true) }
            let sent = try StreamSocket.fastOpen(socket.raw, UnsafeRawBufferPointer(bytes), to: address)
            guard sent == Preamble.byteCount else { throw .invalidArgument }
            let queue = queue(for: pending, to: peer, portFamily: family)
            try handOver(consume socket, pending, source: source, queue: queue)
            if let queue { fill(queue) } else { spares.replenish(pending.family) }
        } catch {
            if pending.isPortPooled { container.ports.release(source.port) }
            if error == .nowInProgress || error == .notSupportedOnSocket { peer.fastOpenWorks = false }
            log.warning("connect", "no host socket to \(peer.name): \(error); the packet overlay is used")
            fallBack(pending)
        }
    }

    private func copyOptions(_ pending: PendingConnect, to socket: borrowing OwnedDescriptor) {
        guard !pending.isPristine else { return }
        SocketOptions(of: pending.original.raw, family: pending.family)
            .changed(from: pending.link.container.defaults(pending.family)).apply(to: socket.raw)
    }

    /// The socket may make this one connection and is guarded from now on.
    private func secure(
        _ socket: CInt, _ pending: PendingConnect, source: Endpoint, destination: Endpoint
    ) throws(Errno) {
        try secure(socket, local: source, peer: pending.destination, destination: destination)
    }

    /// Where SYNs cannot carry data: connect first, send the preamble, then hand over.
    private func startSlowly(
        _ pending: PendingConnect, _ socket: consuming OwnedDescriptor, source: Endpoint, to address: KernelAddress,
        preamble: [UInt8]
    ) throws(Errno) {
        do throws(Errno) { try StreamSocket.connect(socket.raw, to: address) } catch {
            if error != .nowInProgress { throw error }
        }
        try add(
            Departure(
                socket, purpose: .connect(pending, source), preamble: preamble, isFastOpen: false,
                deadline: .now + Self.connectTimeout))
        suspend(pending.link)
    }

    /// - Parameter queue: given to the program with the socket, unless it has it.
    func handOver(
        _ socket: consuming OwnedDescriptor, _ pending: PendingConnect, source: Endpoint, queue: PreparedQueue? = nil
    ) throws(Errno) {
        let cookie = try StreamSocket.cookie(socket.raw)
        let container = pending.link.container
        enter(
            Connection(
                namespace: container.namespace, direction: .outgoing, local: source, peer: pending.destination,
                isPortPooled: pending.isPortPooled, since: wallClockSeconds()), cookie, of: container)
        reply(
            to: pending.link, SLIM_OP_CONNECT, pending.sequence, SLIM_VERDICT_DONE, cookie: cookie, local: source,
            peer: pending.destination, passing: socket.raw, queue: queue?.give())
        // The program may be through with it any moment: its end must not wait for this one.
        _ = consume socket
        counters.connectsHandedOver += 1
        resume(pending.link)
    }

    func fallBack(_ pending: PendingConnect) {
        fallBack(pending.link, pending.sequence)
        resume(pending.link)
    }

    private func fallBack(_ link: ApplicationLink, _ sequence: UInt32) {
        counters.connectsByOverlay += 1
        reply(to: link, SLIM_OP_CONNECT, sequence, SLIM_VERDICT_FALLBACK)
    }

    func refuse(_ pending: PendingConnect, _ error: Errno) {
        counters.connectsRefused += 1
        reply(to: pending.link, SLIM_OP_CONNECT, pending.sequence, SLIM_VERDICT_REFUSED, error: error)
        resume(pending.link)
    }
}
