internal import FoundationEssentials
internal import SlimRegistry

/// What other hosts have said of their containers, in a file that survives the router: a policy that selects by labels
/// holds from its first moment.
struct PartyStore: Sendable {
    struct Host: Codable, Equatable, Sendable {
        let name: String
        let containers: [ContainerIdentity]
    }

    private let path: String

    init(_ path: String) { self.path = path }

    /// - Returns: nothing when there is no file yet.
    func load() throws -> [Host] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try JSONDecoder().decode([Host].self, from: Data(contentsOf: URL(filePath: path)))
    }

    /// Replaces the file in one step.
    func save(_ hosts: [Host]) throws {
        try JSONEncoder().encode(hosts).write(to: URL(filePath: path), options: .atomic)
    }
}
