import Foundation
import SlimGuard
import SlimLab
import Testing

/// The attack program of Tests/Attacks: what it knows, and what came of it.
struct Attacks {
    struct Outcome: Hashable, CustomStringConvertible {
        let name: String
        let family: String
        let kind: String
        let verdict: String
        let error: String

        var description: String { "\(name) (\(family), \(kind)): \(verdict) \(error)" }
    }

    let program: String
    /// Attributes of each attempt, by name.
    let attributes: [String: Set<Substring>]

    init(in folder: TemporaryFolder) async throws {
        program = folder.path + "/attacks"
        let sources = ["host.c", "attempts.c"].map { "\(Fixture.project)/Tests/Attacks/\($0)" }
        try await Fixture.shared.check(
            ["cc", "-O1", "-static", "-Wall", "-Wextra", "-Werror", "-o", program] + sources, on: nil,
            atMost: .seconds(60))
        let list = try await Fixture.shared.check([program, "--list"], on: nil)
        attributes = Dictionary(
            uniqueKeysWithValues: list.split(separator: "\n").map { line in
                let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
                return (String(fields[0]), Set(fields[2].split(separator: " ")))
            })
    }

    func run(_ arguments: [String]) async throws -> [Outcome] {
        let output = try await Fixture.shared.check([program] + arguments, on: nil, atMost: .seconds(120))
        let outcomes = output.split(separator: "\n").map { line in
            let fields = line.split(separator: "\t").map(String.init)
            return Outcome(
                name: fields[0], family: fields[1], kind: fields[2], verdict: fields[3], error: fields[4])
        }
        try #require(Set(outcomes.map(\.name)) == Set(attributes.keys), "every attempt is carried out")
        return outcomes
    }

    func has(_ attribute: Substring, _ outcome: Outcome) -> Bool {
        attributes[outcome.name]?.contains(attribute) == true
    }
}

/// A BPF guard without a router.
struct LooseGuard {
    let socketGuard: BPFGuard

    static func with(_ body: (LooseGuard) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { BPFGuard.remove(directory: folder.path) }
        let socketGuard = try BPFGuard(directory: folder.path, file: Fixture.libraries + "/slim_guard.bpf.o")
        try await body(LooseGuard(socketGuard: socketGuard))
    }

    var arguments: [String] { ["--guard", "bpf", "--cgroup", socketGuard.groupPath] }
}
