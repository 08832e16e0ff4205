internal import FoundationEssentials
internal import Logging
internal import SlimAdmin
internal import SlimConfiguration
internal import SlimGuard
internal import Synchronization

/// Secure mode: puts a guard into force, looks after it, and tells the connection thread on what condition sockets are
/// handed out. What an operator has enabled stays so when the router is restarted.
final class SecurityManager: Sendable {
    private struct State {
        var isRequired: Bool
        var choice: GuardChoice
        var `guard`: (any SocketGuard)?
        var problem: GuardError?
    }

    private let settings: SecureSettings
    private let directory: String
    private let mailbox: Mailbox
    private let logger: Logger
    private let state: Mutex<State>

    init(configuration: RouterConfiguration, mailbox: Mailbox, logger: Logger) {
        settings = configuration.secure
        directory = configuration.directory
        self.mailbox = mailbox
        self.logger = logger
        let enabled = Self.enabledChoice(in: configuration.directory)
        state = Mutex(
            State(
                isRequired: settings.required || enabled != nil, choice: enabled ?? settings.guard))
    }

    /// What the connection thread begins with: the guard is in force when this returns.
    func start() -> Security {
        state.withLock { state in
            guard state.isRequired else { return .off }
            load(&state)
            return Self.security(state)
        }
    }

    /// The guard in force.
    var guardName: String? { state.withLock { $0.guard?.kind.rawValue } }

    /// - Throws: when no guard works: nothing is then handed out until one does, or secure mode is disabled.
    func enable(_ request: SecureRequest) throws(AdminError) -> SecureReport {
        var choice = settings.guard
        if let name = request.guard {
            guard let known = GuardChoice(rawValue: name) else {
                throw AdminError(.badRequest, "guard: \(name.debugDescription) is none; use auto, module or bpf")
            }
            choice = known
        }
        do { try Data(choice.rawValue.utf8).write(to: URL(filePath: Self.file(in: directory)), options: .atomic) } catch
        {
            throw AdminError(.internalError, "\(Self.file(in: directory)): \(error)")
        }
        let problem = state.withLock { state in
            state.isRequired = true
            state.choice = choice
            load(&state)
            tell(state)
            return state.problem
        }
        guard let problem else { return report() }
        let consequence = "secure mode is on, and without a guard no host socket is handed out"
        throw AdminError(problem.code == .dead ? .unavailable : .badRequest, "\(problem); \(consequence)")
    }

    func disable() throws(AdminError) -> SecureReport {
        guard !settings.required else {
            throw AdminError(
                .conflict, "router.json requires secure mode (secure.required); change it there and restart the router")
        }
        try? FileManager.default.removeItem(atPath: Self.file(in: directory))
        state.withLock { state in
            guard state.isRequired else { return }
            state.isRequired = false
            state.guard = nil
            state.problem = nil
            logger.warning("secure mode is off: host sockets are handed out unguarded")
            tell(state)
        }
        return report()
    }

    /// Looks whether the guard still works, and brings one into force where none does.
    func lookAfter() {
        state.withLock { state in
            guard state.isRequired else { return }
            guard let socketGuard = state.guard else {
                load(&state, isAgain: true)
                if state.guard != nil { tell(state) }
                return
            }
            do throws(GuardError) { try socketGuard.check() } catch { fail(&state, error) }
        }
    }

    /// The connection thread has noticed that the guard is dead, and hands out nothing any more.
    func guardFailed(_ error: GuardError) {
        state.withLock { state in if state.guard != nil { fail(&state, error) } }
    }

    func report() -> SecureReport {
        let state = state.withLock { $0 }
        return SecureReport(
            required: state.isRequired, wanted: state.choice.rawValue, guard: state.guard?.kind.rawValue,
            problem: state.problem?.description, sockets: (try? state.guard?.tagged().count) ?? 0,
            holes: state.guard?.holes ?? [], closedHoles: state.guard?.closedHoles ?? [])
    }

    private func fail(_ state: inout State, _ error: GuardError) {
        state.guard = nil
        state.problem = error
        logger.critical("secure mode: no host socket is handed out: \(error)")
        tell(state)
    }

    private func load(_ state: inout State, isAgain: Bool = false) {
        do throws(GuardError) {
            let socketGuard = try GuardLoader.load(state.choice, directory: directory)
            state.guard = socketGuard
            state.problem = nil
        } catch {
            state.guard = nil
            if !isAgain || state.problem != error {
                logger.critical("secure mode: no host socket is handed out: \(error)")
            }
            state.problem = error
        }
    }

    private func tell(_ state: State) {
        if let socketGuard = state.guard {
            logger.info("secure mode", metadata: ["guard": "\(socketGuard.kind.rawValue)"])
        }
        let security = Self.security(state)
        mailbox.post { $0.adopt(security) }
    }

    private static func security(_ state: State) -> Security {
        guard state.isRequired else { return .off }
        return state.guard.map { .guarded($0) } ?? .closed
    }

    private static func file(in directory: String) -> String { "\(directory)/secure" }

    /// What an operator has enabled since the machine was started.
    private static func enabledChoice(in directory: String) -> GuardChoice? {
        let file = file(in: directory)
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        // Enabled in whatever words, and if they cannot be read: never silently insecure.
        return (try? String(contentsOfFile: file, encoding: .utf8)).flatMap(GuardChoice.init) ?? .auto
    }
}
