internal import Dispatch
internal import FoundationEssentials
internal import Logging
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimJSON
internal import SlimOverlay
internal import SlimPacketFilter
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SlimTraffic
internal import Synchronization

/// The policy in force: takes it from its file, gives it to the connection thread and to the packet filter, and keeps a
/// copy that holds over a restart.
///
/// Everything here may block; one thing at a time happens, under one lock.
final class PolicyManager: Sendable {
    private struct State {
        var policy = CompiledPolicy(.open)
        var file: String?
        var since: UInt64 = 0
        /// Those of this host; `nil` until it is known which there are.
        var containers: [LocalContainer]?
        /// Why rates do not hold, as it was logged last.
        var trouble: TrafficError?
    }

    /// Where the operator's file is; `nil` when none is configured and the default one does not exist.
    private let configured: String?
    private let copy: String
    private let mailbox: Mailbox
    private let filter: PacketFilter
    private let traffic: TrafficControl
    private let bridge: String
    private let tunnel: Endpoint
    private let logger: Logger
    private let parties: PartyStore
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "slim.policy")
    private let isRefreshDue = Atomic<Bool>(false)

    /// Prepares to act in the calling thread's network namespace.
    init(
        configuration: RouterConfiguration, traffic: TrafficControl, mailbox: Mailbox, logger: Logger
    ) throws(PacketFilterError) {
        filter = try PacketFilter()
        self.traffic = traffic
        bridge = configuration.overlay.bridge
        tunnel = Endpoint(configuration.underlay.address, configuration.overlay.vxlanPort)
        configured = configuration.policyFile
        copy = configuration.directory + "/policy.json"
        parties = PartyStore(configuration.directory + "/parties.json")
        self.mailbox = mailbox
        self.logger = logger
    }

    // MARK: Start

    /// Takes the policy of the router before this one into force, else the configured one.
    func start() throws(ConfigurationError) {
        guard let (document, file) = try startDocument() else { return }
        let policy = CompiledPolicy(document)
        state.withLock { state in
            state.policy = policy
            state.file = file
            state.since = wallClockSeconds()
        }
        save(document)
        mailbox.post { $0.adopt(policy) { _, _ in } }
    }

    private func startDocument() throws(ConfigurationError) -> (PolicyDocument, String)? {
        guard FileManager.default.fileExists(atPath: copy) else {
            return try configured.map { (file) throws(ConfigurationError) in (try PolicyDocument.load(file), file) }
        }
        do throws(ConfigurationError) {
            let document = try PolicyDocument.load(copy)
            warnOfDifference(from: document)
            return (document, configured ?? copy)
        } catch {
            // Written whole or not at all; somebody else's doing then.
            logger.error(
                "the copy of the policy cannot be read; the configured one is taken", metadata: ["error": "\(error)"])
            return try configured.map { (file) throws(ConfigurationError) in (try PolicyDocument.load(file), file) }
        }
    }

    private func warnOfDifference(from document: PolicyDocument) {
        guard let configured else { return }
        do throws(ConfigurationError) {
            guard try PolicyDocument.load(configured) != document else { return }
            logger.warning("\(configured) is not the policy in force; take it with `slimctl policy reload`")
        } catch { logger.warning("the policy in force stays", metadata: ["error": "\(error)"]) }
    }

    /// Tells the connection thread what other hosts had said of their containers: they must be known to it.
    func restoreParties() {
        do {
            let hosts = try parties.load()
            mailbox.post { engine in for host in hosts { engine.restore(host.containers, of: host.name) } }
        } catch {
            logger.error("what is known of other hosts' containers cannot be read", metadata: ["error": "\(error)"])
        }
    }

    // MARK: What has changed

    /// Called by the connection thread: parties came, went, or have other labels.
    func partiesChanged() {
        guard !isRefreshDue.exchange(true, ordering: .acquiringAndReleasing) else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(20)) { [self] in
            isRefreshDue.store(false, ordering: .releasing)
            refresh()
        }
    }

    private func refresh() {
        let hosts = state.withLock { state in
            let hosts = knownHosts()
            let others = Self.containers(of: hosts)
            do throws(PacketFilterError) {
                try filterPackets(state, for: state.containers ?? [], others)
            } catch {
                logger.error("packets do not obey the policy for new containers", metadata: ["error": "\(error)"])
            }
            shapeTraffic(&state, others)
            return hosts
        }
        do { try parties.save(hosts) } catch {
            logger.error("what is known of other hosts' containers cannot be kept", metadata: ["error": "\(error)"])
        }
    }

    private func knownHosts() -> [PartyStore.Host] {
        let names = mailbox.askAndWait { Array($0.peers.keys) }
        return stride(from: 0, to: names.count, by: Engine.hostsInPart).flatMap { start in
            let some = names[start..<min(start + Engine.hostsInPart, names.count)]
            return mailbox.askAndWait { $0.knownHosts(some) }
        }
    }

    /// Has packets of these containers, and of no others, pass as the policy says. To be called before a container is used,
    /// and after it is gone.
    func update(containers records: [ContainerStore.Record]) throws(PacketFilterError) {
        let containers = records.compactMap { LocalContainer($0) }
        try state.withLock { (state) throws(PacketFilterError) in
            let others = otherContainers()
            try filterPackets(state, for: containers, others)
            state.containers = containers
            shapeTraffic(&state, others)
        }
    }

    /// Lays down again what somebody has flushed with all other rules of the host.
    func mend() {
        state.withLock { state in
            mendTraffic(&state)
            guard !filter.isPresent() else { return }
            do throws(PacketFilterError) {
                try filterPackets(state, for: state.containers ?? [], otherContainers())
                logger.warning("the packet filter was gone, and is back: flush other tables than Slim's only")
            } catch { logger.error("packets do not obey the policy", metadata: ["error": "\(error)"]) }
        }
    }

    private func filterPackets(
        _ state: State, for containers: [LocalContainer], _ others: [PolicyContainer]
    ) throws(PacketFilterError) {
        try filterPackets(by: state.policy, for: containers, others, isConfigured: state.file != nil)
    }

    /// - Parameter isConfigured: whether the operator has given a policy: it may deny something one day.
    private func filterPackets(
        by policy: CompiledPolicy, for containers: [LocalContainer], _ others: [PolicyContainer], isConfigured: Bool
    ) throws(PacketFilterError) {
        try filter.apply(
            PacketRules(
                policy: policy, containers: containers, others: others, bridge: bridge, tunnel: tunnel,
                tracksAlways: isConfigured))
        mailbox.post { $0.isFilterInForce = true }
    }

    private func otherContainers() -> [PolicyContainer] { Self.containers(of: knownHosts()) }

    private static func containers(of hosts: [PartyStore.Host]) -> [PolicyContainer] {
        hosts.flatMap { host in
            host.containers.map { PolicyContainer(name: $0.name, labels: $0.labels, addresses: $0.addresses) }
        }
    }

    // MARK: Rates and priorities

    /// Limits and prefers traffic as a policy says. Until it is known which containers there are, nothing changes.
    private func shapeTraffic(
        by policy: CompiledPolicy, for containers: [LocalContainer]?, _ others: [PolicyContainer]
    ) throws(TrafficError) {
        guard let containers else { return }
        try traffic.apply(TrafficPlan(policy, containers, others: others, bridge: bridge))
    }

    private func shapeTraffic(_ state: inout State, _ others: [PolicyContainer]) {
        do throws(TrafficError) {
            try shapeTraffic(by: state.policy, for: state.containers, others)
            state.trouble = nil
        } catch { complain(of: error, &state) }
    }

    private func mendTraffic(_ state: inout State) {
        do throws(TrafficError) {
            guard try traffic.mend() else { return }
            state.trouble = nil
            logger.warning("what limits rates was gone in part, or the host has other devices: it is whole again")
        } catch { complain(of: error, &state) }
    }

    /// It is tried again and again, and said once.
    private func complain(of error: TrafficError, _ state: inout State) {
        guard state.trouble != error else { return }
        state.trouble = error
        logger.error("rates do not hold", metadata: ["error": "\(error)"])
    }

    // MARK: What the operator asks

    func report() -> PolicyReport {
        state.withLock { state in
            let document = state.policy.document
            return PolicyReport(
                file: state.file, since: state.since, rules: document.rules.count, text: document.text)
        }
    }

    /// Takes a file into force; on any error the policy in force stays.
    ///
    /// - Parameter file: `nil` takes the configured one.
    func reload(_ file: String?) throws(AdminError) -> ReloadReport {
        let start = ContinuousClock.now
        let (document, path) = try load(file)
        let policy = CompiledPolicy(document)
        let (isChanged, enforced) = try state.withLock { (state) throws(AdminError) in
            let isChanged = state.policy.generation != policy.generation
            let others = otherContainers()
            do throws(TrafficError) { try shapeTraffic(by: policy, for: state.containers, others) } catch {
                shapeTraffic(&state, others)
                throw AdminError(.internalError, "\(error); the policy in force stays")
            }
            do throws(PacketFilterError) {
                try filterPackets(by: policy, for: state.containers ?? [], others, isConfigured: true)
            } catch {
                shapeTraffic(&state, others)
                throw AdminError(.internalError, "\(error); the policy in force stays")
            }
            state.trouble = nil
            let old = state.policy
            state.policy = policy
            state.file = path
            state.since = wallClockSeconds()
            save(document)
            // The old one goes here, not in the connection thread: freeing ten thousand rules takes longer than a connect().
            return withExtendedLifetime(old) { (isChanged, enforce(policy)) }
        }
        let milliseconds = { (moment: ContinuousClock.Instant) in Double((moment - start) / .microseconds(1)) / 1000 }
        logger.info(
            "policy reloaded",
            metadata: [
                "file": "\(path)", "rules": "\(document.rules.count)", "connectionsCut": "\(enforced.result.cut)",
            ])
        return ReloadReport(
            file: path, rules: document.rules.count, isChanged: isChanged, connectionsKept: enforced.result.kept,
            connectionsCut: enforced.result.cut, inForceMilliseconds: milliseconds(enforced.inForce),
            milliseconds: milliseconds(.now))
    }

    private func load(_ file: String?) throws(AdminError) -> (PolicyDocument, String) {
        guard let path = file ?? configured else {
            throw AdminError(.badRequest, "no policy is configured (policy in router.json); name a file")
        }
        do throws(ConfigurationError) { return (try PolicyDocument.load(path), path) } catch {
            throw AdminError(.badRequest, "\(error)")
        }
    }

    /// Blocks until what the policy forbids has been cut.
    ///
    /// - Returns: what was kept and cut, and when new connections began to obey, on all hosts.
    private func enforce(_ policy: CompiledPolicy) -> (result: ReviewResult, inForce: ContinuousClock.Instant) {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex((result: ReviewResult(), inForce: ContinuousClock.now))
        mailbox.post { engine in
            engine.adopt(policy) { result, inForce in
                outcome.withLock { $0 = (result, inForce) }
                done.signal()
            }
        }
        done.wait()
        return outcome.withLock { $0 }
    }

    func diff(_ file: String?) throws(AdminError) -> PolicyDiffReport {
        let (document, _) = try load(file)
        let current = state.withLock { $0.policy.document }
        let other = CompiledPolicy(document)
        let (cut, total) = mailbox.askAndWait { ($0.connectionReports(deniedBy: other), $0.usedCount) }
        let changes = PolicyDifference(from: current, to: document).changes
        return PolicyDiffReport(
            changes: changes.map {
                PolicyDiffReport.Change(part: $0.part, name: $0.name, before: $0.before, after: $0.after)
            }, connectionsKept: total - cut.count, cut: cut)
    }

    private func save(_ document: PolicyDocument) {
        do { try Data(document.text.utf8).write(to: URL(filePath: copy), options: .atomic) } catch {
            logger.error(
                "\(copy): the policy would not hold over a restart of the router", metadata: ["error": "\(error)"])
        }
    }
}

extension LocalContainer {
    fileprivate init?(_ record: ContainerStore.Record) {
        guard let port = ContainerPort(container: record.name, addresses: record.addresses) else { return nil }
        self.init(
            PolicyContainer(name: record.name, labels: record.labels, addresses: record.addresses),
            port: port.interface, mac: port.mac)
    }
}

extension RouterConfiguration {
    /// Where the policy comes from; `nil` when none is configured and there is none in the usual place.
    var policyFile: String? {
        policy ?? (FileManager.default.fileExists(atPath: Self.defaultPolicyPath) ? Self.defaultPolicyPath : nil)
    }
}
