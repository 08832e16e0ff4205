internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import SlimRegistry
internal import Synchronization

/// The control plane's state on its event loop.
///
/// `@unchecked Sendable`: everything mutable is touched on `loop` only, which each way in from outside checks.
final class ControlCore: @unchecked Sendable {
    let configuration: ControlConfiguration
    let loop: any EventLoop
    let logger: Logger
    let events: @Sendable (ControlEvent) -> Void
    let greeting: Greeting
    private(set) var authenticator: PeerAuthenticator
    private let table: LinkTable
    private let credentials: Mutex<Credentials>
    private var diallers: [String: Dialler] = [:]
    private var links: [String: LinkHandler] = [:]
    private var unauthenticated: [ObjectIdentifier: LinkHandler] = [:]
    private var admission = AdmissionControl()
    private var refusalLog = LogLimiter()
    private var skipLog = LogLimiter()

    var timings: ControlTimings { configuration.timings }

    init(
        configuration: ControlConfiguration, credentials: Credentials, loop: any EventLoop, table: LinkTable,
        logger: Logger, events: @escaping @Sendable (ControlEvent) -> Void
    ) {
        self.configuration = configuration
        self.credentials = Mutex(credentials)
        self.loop = loop
        self.table = table
        self.logger = logger
        self.events = events
        greeting = Greeting(name: configuration.name, software: configuration.software)
        authenticator = PeerAuthenticator(ownName: configuration.name, hosts: [:])
    }

    // MARK: From any thread

    /// New connections use these; those made under another authority end.
    func replace(credentials new: Credentials) {
        let changedAuthority = credentials.withLock { current in
            defer { current = new }
            return current.authorityFingerprint != new.authorityFingerprint
        }
        guard changedAuthority else { return }
        loop.execute { [self] in
            for handler in links.values { handler.close("\(configuration.name) has a new authority") }
        }
    }

    /// Ends a connection that was found to be stuck.
    func drop(_ link: Link, reason: String) {
        loop.execute { [self] in
            guard table.link(to: link.peer) === link else { return }
            links[link.peer]?.close(reason)
        }
    }

    // MARK: On the event loop

    /// Says from time to time that the certificate has expired, or will soon: a router may run for years.
    func watchExpiry() {
        let pause = TimeAmount(timings.expiryCheck)
        loop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { [weak self] _ in
            guard let self else { return }
            let details = credentials.withLock { $0 }
            details.warnOfExpiry(configuration.certificatePath, logger: logger)
        }
    }

    func update(peers: [HostRecord]) {
        loop.preconditionInEventLoop()
        var hosts: [String: HostRecord] = [:]
        for peer in peers where peer.name != configuration.name { hosts[peer.name] = peer }
        authenticator.hosts = hosts
        admission.knownAddresses = Set(hosts.values.map(\.underlay))
        for (name, dialler) in diallers {
            let host = hosts[name]
            guard
                host?.underlay != dialler.host.underlay
                    || host?.certificateFingerprint != dialler.host.certificateFingerprint
            else { continue }
            diallers[name] = nil
            dialler.stop("the registry of \(configuration.name) has changed")
        }
        for (name, handler) in links {
            guard let link = table.link(to: name), !authenticator.believes(name, fingerprint: link.fingerprint) else {
                continue
            }
            handler.close("the registry of \(configuration.name) has changed")
        }
        for name in Set(table.reasons.keys).subtracting(hosts.keys) { table.forget(name) }
        for (name, host) in hosts where diallers[name] == nil {
            guard configuration.name.utf8.lexicographicallyPrecedes(name.utf8) else { continue }
            let dialler = Dialler(host: host, core: self)
            diallers[name] = dialler
            dialler.dial()
        }
    }

    func stop() {
        loop.preconditionInEventLoop()
        let reason = "\(configuration.name) stops"
        for dialler in diallers.values { dialler.stop(reason) }
        diallers = [:]
        for handler in Array(links.values) + Array(unauthenticated.values) { handler.close(reason) }
    }

    func connect(to host: HostRecord, _ handler: LinkHandler) {
        let attempt: EventLoopFuture<any Channel>
        do {
            let target = try SocketAddress(ipAddress: host.underlay.description, port: Int(configuration.port.rawValue))
            let bound = NIOLoopBound(handler, eventLoop: loop)
            var bootstrap = ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(timings.handshake))
                .channelInitializer { [self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        let tls = try NIOSSLClientHandler(context: credentials.withLock(\.client), serverHostname: nil)
                        try addHandlers(to: channel, tls: tls, bound.value)
                    }
                }
            if !configuration.listenAddress.isUnspecified, configuration.listenAddress.family == host.underlay.family {
                bootstrap = bootstrap.bind(
                    to: try SocketAddress(ipAddress: configuration.listenAddress.description, port: 0))
            }
            attempt = bootstrap.connect(to: target)
        } catch { attempt = loop.makeFailedFuture(error) }
        attempt.assumeIsolated().whenFailure { handler.connectFailed($0) }
    }

    /// Sets up a connection that came in; fails, which closes it, when there are too many.
    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            guard let address = channel.remoteAddress?.ipAddress.flatMap({ IPAddress($0) }) else {
                throw ChannelError.ioOnClosedChannel
            }
            guard admission.admit(address) else {
                logRefusal("refused a connection from \(address): too many from there have not said who they are")
                throw ChannelError.ioOnClosedChannel
            }
            let handler = LinkHandler(side: .acceptor(from: address), core: self)
            unauthenticated[ObjectIdentifier(handler)] = handler
            try addHandlers(to: channel, tls: NIOSSLServerHandler(context: credentials.withLock(\.server)), handler)
        }
    }

    private func addHandlers(to channel: any Channel, tls: some ChannelHandler, _ handler: LinkHandler) throws {
        try channel.pipeline.syncOperations.addHandlers(tls, ByteToMessageHandler(FrameDecoder()), handler)
    }

    func established(_ handler: LinkHandler, _ link: Link, _ greeting: Greeting) {
        leaveAdmission(handler)
        links[link.peer]?.close("a newer connection replaces this one")
        links[link.peer] = handler
        table.set(link)
        diallers[link.peer]?.established()
        logger.info("connected to \(link.peer) (\(ConnectionFault.quote(greeting.software)))")
        events(.connected(peer: link.peer))
    }

    func disconnected(_ handler: LinkHandler, _ link: Link, _ reason: String) {
        if links[link.peer] === handler { links[link.peer] = nil }
        if authenticator.hosts[link.peer] == nil {
            table.forget(link.peer)
        } else {
            table.clear(link.peer, reason: reason)
        }
        logger.warning("disconnected from \(link.peer): \(reason)")
        events(.disconnected(peer: link.peer, reason: reason))
        diallers[link.peer]?.attemptEnded(handler, reason)
    }

    /// A connection ended before it was established.
    func failed(_ handler: LinkHandler, candidates: [String], _ reason: String) {
        leaveAdmission(handler)
        switch handler.side {
        case .dialler(let host):
            guard let dialler = diallers[host.name] else { return }
            table.clear(host.name, reason: reason)
            dialler.attemptEnded(handler, reason)
        case .acceptor(let address):
            for name in candidates where table.link(to: name) == nil { table.clear(name, reason: reason) }
            let place = name(of: address).map { "\($0) (\(address))" } ?? "\(address)"
            logRefusal("dropped a connection from \(place): \(reason)")
        }
    }

    /// The host that has an address in the underlay. Whoever comes from there need not be that host.
    func name(of address: IPAddress) -> String? {
        authenticator.hosts.values.first { $0.underlay == address }?.name
    }

    func skipped(_ type: String, from peer: String) {
        guard let more = skipLog.admit() else { return }
        logger.debug(
            "skipped a message of type \(ConnectionFault.quote(type).debugDescription) from \(peer) (and \(more) more)")
    }

    private func leaveAdmission(_ handler: LinkHandler) {
        guard case .acceptor(let address) = handler.side,
            unauthenticated.removeValue(forKey: ObjectIdentifier(handler)) != nil
        else { return }
        admission.release(address)
    }

    private func logRefusal(_ text: String) {
        guard let more = refusalLog.admit() else { return }
        logger.warning("\(text)\(more == 0 ? "" : " (and \(more) more)")")
    }
}
