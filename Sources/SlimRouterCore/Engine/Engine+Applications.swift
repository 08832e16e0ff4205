internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// What programs ask. A container is hostile ground: every field is checked, and a bad message ends the program's
/// connection to the router, nothing else.
extension Engine {
    func serve(_ link: ApplicationLink, _ interest: Epoll.Interest) {
        guard interest.contains(.read) else { return close(link) }
        do throws(Errno) {
            let room = UnsafeMutableRawBufferPointer(rebasing: scratch[..<MemoryLayout<slim_request>.size])
            guard var received = try LocalSocket.receive(from: link.descriptor.raw, into: room) else { return }
            let descriptor = received.takeDescriptor()
            for surplus in received.takeSurplus() { link.container.disposal.close(OwnedDescriptor(surplus)) }
            let request = room.load(as: slim_request.self)
            guard received.byteCount == room.count, !received.isTruncated, received.descriptorCount <= 1,
                request.header.magic == UInt32(SLIM_ABI_MAGIC), request.header.version == UInt16(SLIM_ABI_VERSION),
                isBearable(link.container)
            else {
                if let descriptor { link.container.disposal.close(descriptor) }
                // What is empty is the end, most often.
                guard received.byteCount != 0 else { return close(link) }
                let header = request.header
                let isForeign =
                    received.byteCount < MemoryLayout<slim_header>.size || header.magic != UInt32(SLIM_ABI_MAGIC)
                return reject(
                    link,
                    isForeign || header.version == UInt16(SLIM_ABI_VERSION)
                        ? "a message that is none of ours"
                        : "version \(header.version) of the local protocol, not \(SLIM_ABI_VERSION): "
                            + "libslimsocket.so and slimrouter must be of one release")
            }
            dispatch(request, from: link, descriptor)
        } catch {
            close(link)
        }
    }

    private func dispatch(_ request: slim_request, from link: ApplicationLink, _ descriptor: consuming OwnedDescriptor?)
    {
        let sequence = request.header.sequence
        let operation = slim_operation(UInt32(request.header.operation))
        guard let descriptor else {
            guard operation == SLIM_OP_REAP, reapers.count < 4096 else {
                return reject(link, "a request without descriptor")
            }
            reapers.append((link, sequence))
            return
        }
        switch operation {
        case SLIM_OP_CONNECT: connect(link, request, descriptor)
        case SLIM_OP_LISTEN: listen(link, request.header, descriptor)
        case SLIM_OP_LOOKUP: lookUp(link, sequence, descriptor)
        case SLIM_OP_ORIGINAL: handOutOriginal(link, request.header, descriptor)
        default:
            link.container.disposal.close(descriptor)
            reject(link, "an unknown request \(request.header.operation)")
        }
    }

    /// A container that has sent more descriptors that cannot be closed than it may have programs is served no longer.
    func isBearable(_ container: Container) -> Bool {
        guard container.disposal.isStuck(beyond: settings.socketsPerContainer) else { return true }
        log.error(
            "bear \(container.name)",
            "container \(container.name): it sent \(settings.socketsPerContainer) descriptors that cannot be closed; from now on "
                + "it has the packet overlay only, until it is detached and attached again")
        removeContainer(named: container.name)
        return false
    }

    func reject(_ link: ApplicationLink, _ what: String) {
        counters.requestsRejected += 1
        log.warning(
            "reject \(link.container.name)", "container \(link.container.name): \(what); its program is left alone")
        close(link)
    }

    /// Answers a request. A program that does not take its answers is left alone.
    func reply(
        to link: ApplicationLink, _ operation: slim_operation, _ sequence: UInt32, _ verdict: slim_verdict,
        error: Errno? = nil, cookie: SocketCookie? = nil, local: Endpoint? = nil, peer: Endpoint? = nil,
        passing descriptor: CInt = -1, queue: CInt? = nil
    ) {
        var reply = slim_reply()
        reply.header = slim_header(operation, sequence: sequence)
        reply.verdict = verdict.rawValue
        reply.error = error?.rawValue ?? 0
        reply.cookie = cookie?.rawValue ?? 0
        if let local { reply.local = slim_address(local) }
        if let peer { reply.peer = slim_address(peer) }
        guard !link.isClosed else { return }
        do throws(Errno) {
            guard let queue else { return try LocalSocket.send(reply, to: link.descriptor.raw, passing: descriptor) }
            reply.header.flags |= SLIM_REPLY_QUEUE.rawValue
            try LocalSocket.send(reply, to: link.descriptor.raw, passing: descriptor, and: queue)
        } catch { close(link) }
    }

    /// The overlay addresses of a host socket, to whoever holds it.
    private func lookUp(_ link: ApplicationLink, _ sequence: UInt32, _ descriptor: consuming OwnedDescriptor) {
        let cookie = try? StreamSocket.cookie(descriptor.raw)
        EntrustedDescriptor(descriptor).closeSocket(by: link.container.disposal)
        guard let cookie, let connection = connections[cookie] else {
            return reply(to: link, SLIM_OP_LOOKUP, sequence, SLIM_VERDICT_FALLBACK)
        }
        reply(
            to: link, SLIM_OP_LOOKUP, sequence, SLIM_VERDICT_DONE, cookie: cookie, local: connection.local,
            peer: connection.peer)
    }

    /// The listening socket behind a channel, to whoever holds the channel: it is the program's own.
    private func handOutOriginal(
        _ link: ApplicationLink, _ request: slim_header, _ descriptor: consuming OwnedDescriptor
    ) {
        guard let cookie = try? StreamSocket.cookie(descriptor.raw), let listener = listeners[cookie] else {
            link.container.disposal.close(descriptor)
            return reply(to: link, SLIM_OP_ORIGINAL, request.sequence, SLIM_VERDICT_FALLBACK)
        }
        if request.flags & SLIM_REQUEST_CHANGED.rawValue != 0 { listener.optionsMayHaveChanged = true }
        let isReleased = request.flags & SLIM_REQUEST_RELEASE.rawValue != 0
        if isReleased { withdraw(listener) }
        reply(to: link, SLIM_OP_ORIGINAL, request.sequence, SLIM_VERDICT_DONE, passing: listener.original.raw)
        if isReleased { close(listener) }
    }
}
