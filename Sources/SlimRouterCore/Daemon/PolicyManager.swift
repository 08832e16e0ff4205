internal import Dispatch
internal import FoundationEssentials
internal import Logging
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimJSON
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import Synchronization

/// The policy in force: takes it from its file, gives it to the connection thread, and keeps a copy that holds over a restart.
///
/// Everything here may block; one thing at a time happens, under one lock.
final class PolicyManager: Sendable {
    private struct State {
        var policy = CompiledPolicy(.open)
        var file: String?
        var since: UInt64 = 0
    }

    /// Where the operator's file is; `nil` when none is configured and the default one does not exist.
    private let configured: String?
    private let copy: String
    private let mailbox: Mailbox
    private let logger: Logger
    private let parties: PartyStore
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "slim.policy")
    private let isRefreshDue = Atomic<Bool>(false)

    init(configuration: RouterConfiguration, mailbox: Mailbox, logger: Logger) {
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
        state.withLock { $0 = State(policy: policy, file: file, since: wallClockSeconds()) }
        save(document)
        mailbox.post { $0.adopt(policy) { _ in } }
        logger.info("policy in force", metadata: ["file": "\(file)", "rules": "\(document.rules.count)"])
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
        let hosts = mailbox.askAndWait { engine in
            engine.peers.values.map {
                PartyStore.Host(name: $0.name, containers: $0.containers.values.map(\.identity))
            }
        }
        do { try parties.save(hosts) } catch {
            logger.error("what is known of other hosts' containers cannot be kept", metadata: ["error": "\(error)"])
        }
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
        let (isChanged, result) = state.withLock { state in
            let isChanged = state.policy.generation != policy.generation
            state = State(policy: policy, file: path, since: wallClockSeconds())
            save(document)
            return (isChanged, enforce(policy))
        }
        let milliseconds = Double((ContinuousClock.now - start) / .microseconds(1)) / 1000
        logger.info(
            "policy reloaded",
            metadata: ["file": "\(path)", "rules": "\(document.rules.count)", "connectionsCut": "\(result.cut)"])
        return ReloadReport(
            file: path, rules: document.rules.count, isChanged: isChanged, connectionsKept: result.kept,
            connectionsCut: result.cut, milliseconds: milliseconds)
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
    private func enforce(_ policy: CompiledPolicy) -> ReviewResult {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex(ReviewResult())
        mailbox.post { engine in
            engine.adopt(policy) { reviewed in
                result.withLock { $0 = reviewed }
                done.signal()
            }
        }
        done.wait()
        return result.withLock { $0 }
    }

    func diff(_ file: String?) throws(AdminError) -> PolicyDiffReport {
        let (document, _) = try load(file)
        let current = state.withLock { $0.policy.document }
        let other = CompiledPolicy(document)
        let (cut, total) = mailbox.askAndWait { ($0.connectionReports(deniedBy: other), $0.connections.count) }
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

extension RouterConfiguration {
    /// Where the policy comes from; `nil` when none is configured and there is none in the usual place.
    var policyFile: String? {
        policy ?? (FileManager.default.fileExists(atPath: Self.defaultPolicyPath) ? Self.defaultPolicyPath : nil)
    }
}
