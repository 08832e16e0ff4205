package import Logging
package import SlimJSON
package import SlimRegistry
internal import Synchronization
internal import SystemPackage

/// The registry that needs no server: the peers of `router.json` and, when it names one, a watched directory.
package final class EmbeddedRegistry: HostRegistry {
    private struct State {
        var directory: PeerDirectory?
        var current = RegistrySnapshot(hosts: [])
        var problems: [String] = []
        var listeners: [UInt64: AsyncStream<RegistrySnapshot>.Continuation] = [:]
        var nextListener: UInt64 = 0
    }

    private let fixed: [HostRecord]
    private let table: HostTable
    private let logger: Logger
    private let state: Mutex<State>
    private let watch = Mutex<DirectoryWatch?>(nil)

    /// Reads the hosts and, when there is a directory of peers, goes on watching it until ``stop()``.
    ///
    /// - Parameter file: where the configuration comes from, for errors.
    /// - Throws: when a pinned certificate of the file's peers cannot be read. Bad files of the directory are logged.
    package init(
        _ configuration: RouterConfiguration, file: String = RouterConfiguration.defaultPath, logger: Logger
    ) throws(ConfigurationError) {
        (fixed, table) = try Self.fixedHosts(configuration, file: file)
        self.logger = logger
        let directory = configuration.peersDirectory.map { PeerDirectory($0) }
        state = Mutex(State(directory: directory, current: RegistrySnapshot(hosts: fixed)))
        guard let path = configuration.peersDirectory else { return }
        reload()
        do throws(Errno) {
            let watch = try DirectoryWatch(path) { [weak self] in self?.reload() }
            self.watch.withLock { $0 = watch }
        } catch {
            throw ConfigurationError(
                file: file, place: .path("peersDirectory"), problem: "\(path) cannot be watched: \(error)",
                remedy: "raise fs.inotify.max_user_instances")
        }
    }

    deinit { stop() }

    /// Stops watching and ends the streams of changes.
    package func stop() {
        watch.withLock { $0 = nil }
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            return state.listeners.values
        }
        for listener in listeners { listener.finish() }
    }

    /// The hosts as known now; ``snapshot()`` for callers that cannot wait.
    package var current: RegistrySnapshot { state.withLock { $0.current } }

    package func snapshot() async -> RegistrySnapshot { current }

    package func changes() async -> AsyncStream<RegistrySnapshot> {
        // Snapshots are whole: whoever is slow needs only the newest.
        let (stream, continuation) = AsyncStream.makeStream(
            of: RegistrySnapshot.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    /// Everything that is wrong with the peers of a configuration, a line each: for `slimrouter --check`.
    package static func problems(
        of configuration: RouterConfiguration, file: String
    ) throws(ConfigurationError) -> [String] {
        let (_, table) = try fixedHosts(configuration, file: file)
        guard let path = configuration.peersDirectory else { return [] }
        var directory = PeerDirectory(path)
        return directory.read(besides: table).problems
    }

    private static func fixedHosts(
        _ configuration: RouterConfiguration, file: String
    ) throws(ConfigurationError) -> ([HostRecord], HostTable) {
        var table = HostTable(configuration: configuration)
        var hosts: [HostRecord] = []
        for (index, peer) in configuration.peers.enumerated() {
            let path = "peers[\(index)]"
            if let conflict = table.add(peer) {
                throw ConfigurationError(
                    file: file, place: .path(path + conflict.path), problem: conflict.problem, remedy: conflict.remedy)
            }
            hosts.append(try peer.record(file: file, path: path))
        }
        return (hosts, table)
    }

    private func reload() {
        let (news, newProblems) = state.withLock { state -> (RegistrySnapshot?, [String]) in
            guard let (hosts, problems) = state.directory?.read(besides: table) else { return (nil, []) }
            let newProblems = problems.filter { !state.problems.contains($0) }
            state.problems = problems
            let snapshot = RegistrySnapshot(hosts: fixed + hosts)
            guard snapshot != state.current else { return (nil, newProblems) }
            state.current = snapshot
            // Under the lock, so that nobody is told an older snapshot after a newer one.
            for listener in state.listeners.values { listener.yield(snapshot) }
            return (snapshot, newProblems)
        }
        for problem in newProblems {
            logger.warning("a file of the peers directory is ignored", metadata: ["problem": "\(problem)"])
        }
        if let news { logger.info("the hosts of the cluster changed", metadata: ["hosts": "\(news.hosts.count)"]) }
    }
}
