internal import FoundationEssentials
internal import SlimRegistry

/// The containers of this host, in a file that survives the router.
struct ContainerStore: Sendable {
    struct Record: Codable, Equatable, Sendable {
        var name: String
        /// Where the namespace was found. What the path leads to now may be another: ``cookie`` tells.
        var netns: String
        /// The namespace's identity (`SO_NETNS_COOKIE`).
        var cookie: UInt64
        var labels: [String: String]
        var ipv4: String?
        var ipv6: String?

        var addresses: [IPAddress] { [ipv4, ipv6].compactMap { $0.flatMap { IPAddress($0) } } }
    }

    private let path: String

    init(_ path: String) { self.path = path }

    /// - Returns: nothing when there is no file yet.
    func load() throws -> [Record] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try JSONDecoder().decode([Record].self, from: Data(contentsOf: URL(filePath: path)))
    }

    /// Replaces the file in one step.
    func save(_ records: [Record]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(records).write(to: URL(filePath: path), options: .atomic)
    }
}
