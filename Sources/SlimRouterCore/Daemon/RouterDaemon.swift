internal import Dispatch
internal import FoundationEssentials
internal import Glibc
package import Logging
internal import SlimAdmin
package import SlimConfiguration
internal import SlimControl
internal import SlimJSON
internal import SlimJSON
internal import SlimOverlay
internal import SlimPacketFilter
internal import SlimRegistry
internal import SlimSystem
internal import SlimTraffic
internal import SystemPackage

/// The daemon: brings up the parts in order, connects them, and takes them down on SIGTERM.
///
/// What carries traffic outlives it: the overlay's devices, the containers' interfaces, established connections.
package final class RouterDaemon: Sendable {
    private let configuration: RouterConfiguration
    private let file: String
    private let logger: Logger

    /// - Parameter file: where the configuration comes from, for errors.
    package init(configuration: RouterConfiguration, file: String = RouterConfiguration.defaultPath, logger: Logger) {
        self.configuration = configuration
        self.file = file
        self.logger = logger
    }

    /// Serves until SIGTERM or SIGINT.
    ///
    /// - Throws: when the router cannot start; the packet overlay is then as it was before.
    package func run() async throws(RouterError) {
        let signals = SignalStream([SIGTERM, SIGINT, SIGHUP])
        // Whoever reads the log may go away; that must not end the router.
        signal(SIGPIPE, SIG_IGN)
        DescriptorLimit.raise(logger: logger)
        let directory = try RuntimeDirectory(configuration.directory)
        // Early: what this process makes from now on it shares with its heir, and what it has now the heir has a copy of.
        let flight = try explaining("heir") { () throws(Errno) in
            let flight = try Flight()
            try flight.appointHeir(lock: directory.lock.raw)
            return flight
        }
        let registry = try explaining { () throws(ConfigurationError) in
            try EmbeddedRegistry(configuration, file: file, logger: logger)
        }
        defer { registry.stop() }

        let mailbox = try explaining("eventfd") { () throws(Errno) in try Mailbox() }
        let control = ControlPlane(configuration: controlConfiguration, logger: logger) { event in
            mailbox.post { $0.handle(event) }
        }
        do throws(ControlError) { try await control.start() } catch { throw RouterError("\(error)") }
        do throws(RouterError) { try await run(signals, directory, flight, registry, mailbox, control) } catch {
            await control.stop()
            throw error
        }
    }

    /// What can fail without a trace comes first: a router that cannot have its ports touches nobody's overlay.
    private func run(
        _ signals: borrowing SignalStream, _ directory: borrowing RuntimeDirectory, _ flight: Flight,
        _ registry: EmbeddedRegistry, _ mailbox: Mailbox, _ control: ControlPlane
    ) async throws(RouterError) {
        let keeper = try KeeperLink(directory: directory.path)
        let kept = try keeper.take()
        let traffic = try explaining { () throws(TrafficError) in
            try TrafficControl(configuration.traffic)
        }
        let policy = try explaining { () throws(PacketFilterError) in
            try PolicyManager(configuration: configuration, traffic: traffic, mailbox: mailbox, logger: logger)
        }
        let security = SecurityManager(configuration: configuration, mailbox: mailbox, logger: logger)
        try startEngine(mailbox, keeper, kept, flight, policy, security) { message, peer in
            control.send(message, to: peer)
        }
        defer { mailbox.post { $0.isStopped = true } }

        let wasThere = try explaining { () throws(OverlayError) in try Overlay.exists(overlayConfiguration) }
        let overlay = try establishOverlay()
        HostKernel.prepare(logger: logger)
        try explaining { () throws(ConfigurationError) in try policy.start() }
        let containers = ContainerManager(
            configuration: configuration, overlay: overlay, mailbox: mailbox,
            store: ContainerStore(directory.path + "/containers.json"), policy: policy, logger: logger)
        let hosts = registry.current.hosts
        mailbox.post { $0.update(hosts: hosts) }
        policy.restoreParties()
        await containers.restore()
        mailbox.post { $0.adopt(kept) }
        let backend = RouterBackend(
            configuration: configuration, mailbox: mailbox, containers: containers, registry: registry,
            policy: policy, security: security)
        let admin = AdminServer(path: configuration.adminSocket, backend: backend, logger: logger)
        do throws(AdminError) { try await admin.start() } catch {
            if !wasThere { try? Overlay.remove(overlayConfiguration) }
            throw RouterError("\(error)")
        }
        let follower = follow(registry, mailbox, overlay, control)
        defer { follower.cancel() }

        var metadata: Logger.Metadata = [
            "host": "\(configuration.name)", "pid": "\(getpid())", "policy": "\(policy.report().file ?? "-")",
        ]
        if let name = security.guardName { metadata["guard"] = "\(name)" }
        logger.info("ready", metadata: metadata)
        let supervisor = ServiceManager()
        supervisor.notify("READY=1")
        let watchdog = Task { await supervisor.keepAlive(mailbox) }
        let keeping = Task { await Self.lookAfter(containers, policy, security) }
        await serve(signals, control, policy)
        watchdog.cancel()
        keeping.cancel()
        supervisor.notify("STOPPING=1")
        logger.info("stopping")
        await admin.stop()
        await control.stop()
    }

    /// Notices namespaces and tables that are gone: nobody tells.
    private static func lookAfter(
        _ containers: ContainerManager, _ policy: PolicyManager, _ security: SecurityManager
    ) async {
        var count = 0
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            security.lookAfter()
            count += 1
            guard count.isMultiple(of: 5) else { continue }
            await containers.detachVanished()
            policy.mend()
        }
    }

    private func serve(_ signals: borrowing SignalStream, _ control: ControlPlane, _ policy: PolicyManager) async {
        for await signal in signals.stream {
            guard signal == SIGHUP else { return }
            do throws(ControlError) {
                try control.reloadCertificates()
                logger.info("certificates read again")
            } catch { logger.error("certificates not read again; the old ones stay", metadata: ["error": "\(error)"]) }
            guard configuration.policyFile != nil else { continue }
            do throws(AdminError) { _ = try policy.reload(nil) } catch {
                logger.error("the policy in force stays", metadata: ["error": "\(error)"])
            }
        }
    }

    private var controlConfiguration: ControlConfiguration {
        ControlConfiguration(
            name: configuration.name, listenAddress: configuration.underlay.address, port: configuration.ports.control,
            certificatePath: configuration.pki.certificate, keyPath: configuration.pki.key,
            authorityPath: configuration.pki.authority, software: "slimrouter \(SlimVersion.current)")
    }

    private var overlayConfiguration: OverlayConfiguration {
        let settings = configuration.overlay
        return OverlayConfiguration(
            underlay: configuration.underlay.address, subnets: settings.subnets, prefixes: settings.prefixes,
            bridge: settings.bridge, vxlan: settings.vxlan, vxlanID: settings.vxlanID, vxlanPort: settings.vxlanPort,
            mtu: settings.mtu)
    }

    private func establishOverlay() throws(RouterError) -> Overlay {
        try explaining { () throws(OverlayError) in
            let overlay = try Overlay(overlayConfiguration)
            try overlay.establish()
            return overlay
        }
    }

    /// Starts the connection thread; it belongs to this process's network namespace, the host's.
    private func startEngine(
        _ mailbox: Mailbox, _ keeper: KeeperLink, _ kept: KeptState, _ flight: Flight, _ policy: PolicyManager,
        _ security: SecurityManager, send: @escaping @Sendable (ControlMessage, String) -> Bool
    ) throws(RouterError) {
        let settings = Engine.Settings(
            host: HostRecord(
                name: configuration.name, underlay: configuration.underlay.address,
                subnets: configuration.overlay.subnets),
            directory: configuration.directory,
            prefixes: configuration.overlay.prefixes, dataPorts: configuration.ports.data.ports,
            socketsPerContainer: configuration.limits.socketsPerContainer,
            listenersPerContainer: configuration.limits.listenersPerContainer,
            parkedPerContainer: configuration.limits.parkedPerContainer,
            preparedPerContainer: configuration.limits.preparedPerContainer,
            connections: configuration.limits.connections)
        let condition = security.start()
        let started = DispatchSemaphore(value: 0)
        let failure = Failure()
        let logger = logger
        try explaining("connection thread") { () throws(Errno) in
            try startThread(named: "slim-engine") {
                giveWayToOthers()
                do throws(RouterError) {
                    let engine = try Engine(
                        settings: settings, security: condition, keeper: keeper, kept: kept, flight: flight,
                        mailbox: mailbox, logger: logger, send: send, partiesChanged: { policy.partiesChanged() },
                        guardFailed: { security.guardFailed($0) })
                    started.signal()
                    engine.run()
                    guard !engine.isStopped else { return }
                    // A router that serves nobody must not look alive: programs would wait for it.
                    logger.critical("the connection thread has ended; slimrouter ends, start it again")
                    exit(1)
                } catch {
                    failure.error = error
                    started.signal()
                }
            }
        }
        started.wait()
        if let error = failure.error { throw error }
    }

    /// Keeps overlay, control connections and connection thread informed of the hosts there are.
    private func follow(
        _ registry: EmbeddedRegistry, _ mailbox: Mailbox, _ overlay: Overlay, _ control: ControlPlane
    ) -> Task<Void, Never> {
        let logger = logger
        return Task {
            let changes = await registry.changes()
            Self.apply(registry.current, mailbox, overlay, control, logger)
            for await snapshot in changes { Self.apply(snapshot, mailbox, overlay, control, logger) }
        }
    }

    private static func apply(
        _ snapshot: RegistrySnapshot, _ mailbox: Mailbox, _ overlay: Overlay, _ control: ControlPlane, _ logger: Logger
    ) {
        mailbox.post { $0.update(hosts: snapshot.hosts) }
        control.update(peers: snapshot.hosts)
        do throws(OverlayError) { try overlay.update(peers: snapshot.hosts) } catch {
            logger.error("the packet overlay does not reach every host", metadata: ["error": "\(error)"])
        }
    }

    private func explaining<Value, Problem: Error & CustomStringConvertible>(
        _ what: String? = nil, _ body: () throws(Problem) -> Value
    ) throws(RouterError) -> Value {
        do throws(Problem) { return try body() } catch {
            throw RouterError(what.map { "\($0): \(error)" } ?? "\(error)")
        }
    }
}

extension RouterConfiguration {
    /// What the traffic of this host's containers passes.
    fileprivate var traffic: TrafficConfiguration {
        TrafficConfiguration(underlay: underlay.address, bridge: overlay.bridge, vxlan: overlay.vxlan)
    }
}

/// Written by one thread before it signals, read by another afterwards: that order is the reason it may be shared.
private final class Failure: @unchecked Sendable {
    var error: RouterError?
}
