internal import Glibc
internal import SlimAdmin
internal import SlimLab

/// What routers, keepers and the machine must not keep when the programs have gone.
final class Leaks {
    /// Sockets that a router has ready for the next connections, eight of each family, and a request under way.
    private static let spares = 20
    /// Megabytes by which a process may grow: pages that its allocator keeps.
    private static let growth = 24

    private struct Process {
        let role: String
        let descriptors: Int
        let megabytes: Int
    }

    private let bench: Bench
    private let hosts = ["h1", "h2"]
    private var before: [Process] = []
    private var after: [Process] = []

    /// Notes how the routers are before anything uses them.
    init(_ bench: Bench) async throws {
        self.bench = bench
        before = try processes()
    }

    /// The listeners of all containers as the routers know them.
    func listeners() async throws -> [String] {
        var all: [String] = []
        for host in hosts { all += try await client(host).listeners().map { "\($0.container) \($0.address)" } }
        return all.sorted()
    }

    /// What is wrong when the clients have ended and the servers have not.
    func afterClients(_ expected: [String]) async throws -> [String] {
        var leaks: [String] = []
        let listeners = try await listeners()
        if listeners != expected {
            let difference = Set(listeners).symmetricDifference(expected).sorted().joined(separator: ", ")
            leaks.append("the tables of listeners differ from the first ones: \(difference)")
        }
        if let left = try await never({ try await self.connections() }) {
            leaks.append("\(left.count) connections are left: \(left.prefix(20).joined(separator: ", "))")
        }
        return leaks
    }

    /// What is wrong when everything has ended.
    func afterServers() async throws -> [String] {
        var leaks: [String] = []
        if let left = try await never({ try await self.listeners() }) { leaks.append("listeners are left: \(left)") }
        let grown = { (now: [Process]) in
            zip(now, self.before).filter {
                $0.descriptors > $1.descriptors + Self.spares || $0.megabytes > $1.megabytes + Self.growth
            }.map {
                "\($0.role): \($1.descriptors) descriptors and \($1.megabytes) MB before, \($0.descriptors) and \($0.megabytes) MB after"
            }
        }
        if let left = try await never({ grown(try self.processes()) }) { leaks += left }
        after = try processes()
        if after.count != before.count {
            leaks.append("\(before.count) routers and keepers before, \(after.count) after")
        }
        return leaks
    }

    /// How the processes were and are.
    func summary() -> String {
        zip(before, after).map {
            "\($0.role) \($0.descriptors) -> \($1.descriptors) descriptors, \($0.megabytes) -> \($1.megabytes) MB"
        }.joined(separator: "; ")
    }

    /// What a lab that was taken down has left on the machine.
    static func left(of directory: LabDirectory) -> [String] {
        var leaks = directory.namespaceFiles.map { "the namespace \($0) is left" }
        if access(directory.path, F_OK) == 0 { leaks.append("\(directory.path) is left") }
        return leaks
    }

    /// Waits for a list to become empty: ends are told in batches.
    ///
    /// - Returns: what is in it after ten seconds; `nil` when it has become empty.
    private func never(_ list: () async throws -> [String]) async throws -> [String]? {
        var last: [String] = []
        for _ in 0..<100 {
            last = try await list()
            if last.isEmpty { return nil }
            try await Task.sleep(for: .milliseconds(100))
        }
        return last
    }

    private func connections() async throws -> [String] {
        var all: [String] = []
        for host in hosts {
            all += try await client(host).connections().map { "\($0.container) \($0.local) \($0.remote)" }
        }
        return all
    }

    private func processes() throws -> [Process] {
        try hosts.flatMap { host in
            let router = try bench.lab.router(of: host)
            return [("router", router.process), ("keeper", router.keeper)].compactMap { role, process in
                process.map {
                    Process(
                        role: "\(role) of \(host)", descriptors: $0.descriptorCount,
                        megabytes: ($0.residentBytes ?? 0) / 1_000_000)
                }
            }
        }
    }

    private func client(_ host: String) -> AdminClient {
        AdminClient(socketPath: bench.lab.directory.adminSocket(host))
    }
}
