internal import Dispatch
internal import Glibc
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimNetlink
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem

/// Answers the admin API from what the connection thread and the container manager know.
struct RouterBackend: AdminBackend {
    private let configuration: RouterConfiguration
    private let mailbox: Mailbox
    private let containerManager: ContainerManager
    private let registry: EmbeddedRegistry
    private let policyManager: PolicyManager
    private let security: SecurityManager
    private let started = ContinuousClock.now

    init(
        configuration: RouterConfiguration, mailbox: Mailbox, containers: ContainerManager, registry: EmbeddedRegistry,
        policy: PolicyManager, security: SecurityManager
    ) {
        self.configuration = configuration
        self.mailbox = mailbox
        containerManager = containers
        self.registry = registry
        policyManager = policy
        self.security = security
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

    func connections() async throws -> [ConnectionReport] {
        // What the kernel counts is an extra: without it the list is still right.
        let records =
            (try? await Self.blocking { try SocketDiagnostics().dump(states: .connections, withTraffic: true) })
        let traffic = (records ?? []).reduce(into: [:]) { $0[$1.cookie] = $1.traffic }
        var reports: [ConnectionReport] = []
        var next: UInt32? = 0
        while let start = next {
            let page = await mailbox.ask { $0.connectionPage(from: start) }
            reports += page.reports(traffic)
            next = page.next
        }
        return reports.sorted { $0.ageSeconds > $1.ageSeconds }
    }

    func attach(_ request: AttachRequest) async throws -> ContainerReport {
        try request.validate()
        return report(try await containerManager.attach(request), nil)
    }

    func detach(_ name: String) async throws { try await containerManager.detach(name) }

    func relabel(_ name: String, _ request: RelabelRequest) async throws -> ContainerReport {
        let record = try await containerManager.relabel(name, request)
        return report(record, await mailbox.ask { $0.containerUse() }[name])
    }

    func secureMode() async throws -> SecureReport { try await Self.blocking { [security] in security.report() } }

    func enableSecureMode(_ request: SecureRequest) async throws -> SecureReport {
        try await Self.blocking { [security] in try security.enable(request) }
    }

    func disableSecureMode() async throws -> SecureReport {
        try await Self.blocking { [security] in try security.disable() }
    }

    func policy() async throws -> PolicyReport { policyManager.report() }

    func reloadPolicy(_ request: PolicyRequest) async throws -> ReloadReport {
        try await Self.blocking { [policyManager] in try policyManager.reload(request.file) }
    }

    func diffPolicy(_ request: PolicyRequest) async throws -> PolicyDiffReport {
        try await Self.blocking { [policyManager] in try policyManager.diff(request.file) }
    }

    func explain(_ request: ExplainRequest) async throws -> ExplainReport {
        let flow = try await flow(request)
        let egress = await verdict(.egress, flow)
        let ingress = await verdict(.ingress, flow)
        let verdicts = [egress, ingress].compactMap(\.self)
        return ExplainReport(
            from: flow.source.description,
            to: flow.transport.hasPorts ? flow.destination.description : flow.destination.address.description,
            isAllowed: verdicts.allSatisfy { $0.verdict == "allow" }, verdicts: verdicts)
    }

    private func flow(_ request: ExplainRequest) async throws -> Engine.Flow {
        guard let transport = PolicyProtocol(name: request.protocol) else {
            throw AdminError(.badRequest, "protocol: use tcp, udp, icmp or other")
        }
        guard transport.hasPorts == (request.port != nil) else {
            throw AdminError(
                .badRequest,
                transport.hasPorts ? "port: \(request.protocol) needs one" : "port: \(request.protocol) has none")
        }
        let (sources, destinations) = try await mailbox.ask { engine in
            Result { (try engine.addresses(of: request.from), try engine.addresses(of: request.to)) }
        }.get()
        for source in sources {
            if let destination = destinations.first(where: { $0.family == source.family }) {
                return Engine.Flow(
                    source: source, destination: Endpoint(destination, Port(request.port ?? 0)), transport: transport)
            }
        }
        throw AdminError(.badRequest, "\(request.from) and \(request.to) have no addresses of the same family")
    }

    private func verdict(_ direction: PolicyDirection, _ flow: Engine.Flow) async -> ExplainReport.Verdict? {
        await withCheckedContinuation { continuation in
            mailbox.post { $0.explain(direction, flow) { continuation.resume(returning: $0) } }
        }
    }

    /// Runs something that blocks where it holds up nobody.
    private static func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async { continuation.resume(with: Result(catching: work)) }
        }
    }
}
