internal import Glibc
package import Logging
internal import NIOCore
internal import NIOPosix
package import SlimRegistry
internal import Synchronization

/// The connections between this router and its peers: one for each pair, TLS 1.3, both sides authenticated.
///
/// The router whose name comes first (by its UTF-8 bytes) dials, and dials again whenever the connection is lost.
/// Everything happens on one thread of its own, on which events are delivered too.
package final class ControlPlane: Sendable {
    private struct Runtime {
        let group: MultiThreadedEventLoopGroup
        let listener: any Channel
        let core: ControlCore
    }

    private enum Phase {
        case idle
        case starting
        case running(Runtime)
    }

    private struct State {
        var phase = Phase.idle
        /// `nil` as long as nobody has said which there are.
        var peers: [HostRecord]?
    }

    private let configuration: ControlConfiguration
    private let logger: Logger
    private let events: @Sendable (ControlEvent) -> Void
    private let table = LinkTable()
    private let state = Mutex(State())

    /// - Parameter events: called on the control plane's thread; must return at once.
    package init(
        configuration: ControlConfiguration, logger: Logger, events: @escaping @Sendable (ControlEvent) -> Void
    ) {
        self.configuration = configuration
        self.logger = logger
        self.events = events
    }

    /// Reads the certificates, listens, and dials the peers known so far. Who dials before any are known waits.
    ///
    /// - Throws: ``ControlError``; nothing is left open then.
    package func start() async throws(ControlError) {
        let isIdle = state.withLock { state in
            guard case .idle = state.phase else { return false }
            state.phase = .starting
            return true
        }
        guard isIdle else {
            throw ControlError(.alreadyRunning, "the control plane of \(configuration.name) runs already")
        }
        do throws(ControlError) {
            let runtime = try await makeRuntime()
            state.withLock { $0.phase = .running(runtime) }
            applyPeers()
        } catch {
            state.withLock { $0.phase = .idle }
            throw error
        }
    }

    /// Tells the peers, closes every connection and ends the thread. Events of it are delivered before this returns.
    package func stop() async {
        let runtime: Runtime? = state.withLock { state in
            guard case .running(let runtime) = state.phase else { return nil }
            state.phase = .idle
            return runtime
        }
        guard let runtime else { return }
        try? await runtime.listener.close()
        try? await runtime.core.loop.submit { runtime.core.stop() }.get()
        try? await runtime.group.shutdownGracefully()
    }

    /// Sets the hosts of the cluster: dials new ones, drops those that are gone or have another pinned certificate.
    package func update(peers: [HostRecord]) {
        state.withLock { $0.peers = peers }
        applyPeers()
    }

    /// Sends a message. Never blocks; may be called on any thread.
    ///
    /// - Returns: `false` when the peer is not connected, or takes so little that the connection is now dropped.
    package func send(_ message: ControlMessage, to peer: String) -> Bool {
        guard let link = table.link(to: peer) else { return false }
        var frames: [ByteBuffer] = []
        do throws(FrameError) {
            for frame in FrameCodec.frames(for: message) { frames.append(try FrameCodec.encode(frame)) }
        } catch {
            logger.error("a message to \(peer) cannot be sent: \(error)")
            return false
        }
        guard link.send(frames) else {
            core?.drop(link, reason: "it does not read: more than \(Link.maximumPendingBytes >> 20) MiB wait for it")
            return false
        }
        return true
    }

    /// Reads certificates, key and authority again, for connections from now on.
    ///
    /// Connections that stand go on, unless the authority has changed: then all are made anew.
    /// - Throws: ``ControlError``; the old ones are used further then.
    package func reloadCertificates() throws(ControlError) {
        guard let core else { return }
        let credentials = try Credentials(configuration)
        credentials.warnOfExpiry(configuration.certificatePath, logger: logger)
        core.replace(credentials: credentials)
    }

    /// The names of the peers that messages can be sent to now.
    package var connectedPeers: Set<String> { table.connected }

    /// Why peers are not connected, by name, for those where an attempt has failed.
    package var failureReasons: [String: String] { table.reasons }

    /// The port that is listened on: the configured one, or the kernel's choice for port 0. `nil` when not running.
    package var listeningPort: Port? {
        state.withLock { state in
            guard case .running(let runtime) = state.phase, let port = runtime.listener.localAddress?.port else {
                return nil
            }
            return UInt16(exactly: port).map { Port($0) }
        }
    }

    private var runtime: Runtime? {
        state.withLock { if case .running(let runtime) = $0.phase { runtime } else { nil } }
    }

    private var core: ControlCore? { runtime?.core }

    private func applyPeers() {
        guard let runtime else { return }
        // Read on the loop, so that the last update wins whatever the order of threads.
        runtime.core.loop.execute { [self] in
            guard let peers = state.withLock({ $0.peers }) else { return }
            runtime.core.update(peers: peers)
            _ = runtime.listener.setOption(.autoRead, value: true)
        }
    }

    private func makeRuntime() async throws(ControlError) -> Runtime {
        let credentials = try Credentials(configuration)
        credentials.warnOfExpiry(configuration.certificatePath, logger: logger)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let core = ControlCore(
            configuration: configuration, credentials: credentials, loop: group.next(), table: table, logger: logger,
            events: events)
        do {
            let address = try SocketAddress(
                ipAddress: configuration.listenAddress.description, port: Int(configuration.port.rawValue))
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.autoRead, value: false)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { core.accept($0) }
                .bind(to: address).get()
            core.watchExpiry()
            return Runtime(group: group, listener: listener, core: core)
        } catch {
            try? await group.shutdownGracefully()
            throw bindFailure(error)
        }
    }

    private func bindFailure(_ error: any Error) -> ControlError {
        let place = "control port \(Endpoint(configuration.listenAddress, configuration.port))"
        return switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            ControlError(
                .addressInUse,
                "\(place) is in use: another router runs on this host, or set ports.control to the same free port on every host"
            )
        case EADDRNOTAVAIL:
            ControlError(
                .addressUnavailable, "\(place): this host does not have that address; correct underlay.address")
        case EACCES, EPERM:
            ControlError(
                .noPermission, "\(place): not permitted to listen there; run as root, or set ports.control above 1023")
        default: ControlError(.other, "\(place) cannot be listened on: \(ConnectionFault.describe(error))")
        }
    }
}
