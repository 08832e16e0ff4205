internal import Glibc
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimRegistry
internal import SlimSystem

/// Answers the admin API from what the connection thread and the container manager know.
struct RouterBackend: AdminBackend {
    private let configuration: RouterConfiguration
    private let mailbox: Mailbox
    private let containerManager: ContainerManager
    private let registry: EmbeddedRegistry
    private let started = ContinuousClock.now

    init(
        configuration: RouterConfiguration, mailbox: Mailbox, containers: ContainerManager, registry: EmbeddedRegistry
    ) {
        self.configuration = configuration
        self.mailbox = mailbox
        containerManager = containers
        self.registry = registry
    }

    func status() async throws -> StatusReport {
        let (counts, connected) = await mailbox.ask { ($0.countReport(), $0.peers.values.count { $0.isConnected }) }
        return StatusReport(
            name: configuration.name, version: SlimVersion.current, pid: getpid(),
            uptimeSeconds: UInt64(max(0, started.duration(to: .now).components.seconds)),
            underlay: configuration.underlay.address.description,
            subnets: configuration.overlay.subnets.map(\.description), directory: configuration.directory,
            counts: counts, peersConnected: connected, peersKnown: registry.current.hosts.count)
    }

    func hosts() async throws -> [HostReport] { await mailbox.ask { $0.hostReports() } }

    func containers() async throws -> [ContainerReport] {
        let use = await mailbox.ask { $0.containerUse() }
        return await containerManager.records.map { report($0, use[$0.name]) }
    }

    private func report(_ record: ContainerStore.Record, _ use: Engine.ContainerUse?) -> ContainerReport {
        ContainerReport(
            name: record.name, ipv4: record.ipv4, ipv6: record.ipv6, netns: record.netns, labels: record.labels,
            sockets: use?.programs ?? 0, listeners: use?.listeners ?? 0, connections: use?.connections ?? 0)
    }

    func listeners() async throws -> [ListenerReport] { await mailbox.ask { $0.listenerReports() } }

    func connections() async throws -> [ConnectionReport] { await mailbox.ask { $0.connectionReports() } }

    func attach(_ request: AttachRequest) async throws -> ContainerReport {
        try request.validate()
        return report(try await containerManager.attach(request), nil)
    }

    func detach(_ name: String) async throws { try await containerManager.detach(name) }
}
