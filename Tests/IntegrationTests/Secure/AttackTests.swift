import Foundation
import SlimGuard
import Testing

extension Integration {
    /// What a hostile container tries with host sockets: it succeeds without a guard, and is refused by one.
    @Suite struct AttackTests {
        @Test(arguments: [[], ["--user-namespace"]])
        func `without a guard the attacks succeed`(arguments: [String]) async throws {
            let folder = try TemporaryFolder()
            let attacks = try await Attacks(in: folder)
            for outcome in try await attacks.run(["--guard", "none"] + arguments) {
                if attacks.has("varying", outcome) || outcome.verdict == "unsupported" { continue }
                let isRefused =
                    attacks.has("refused-anyway", outcome)
                    || !arguments.isEmpty && attacks.has("privileged", outcome)
                        // Its own user namespace gives it capabilities over its own network only.
                        && !outcome.name.hasPrefix("listen")
                #expect((outcome.verdict == "refused") == isRefused, "\(outcome)")
            }
        }

        @Test(arguments: [[], ["--user-namespace"]])
        func `the BPF guard refuses all but what it names as holes`(arguments: [String]) async throws {
            let folder = try TemporaryFolder()
            let attacks = try await Attacks(in: folder)
            try await LooseGuard.with { loose in
                for outcome in try await attacks.run(loose.arguments + arguments) where outcome.verdict == "succeeded" {
                    #expect(attacks.has("past-bpf", outcome) || attacks.has("harmless", outcome), "\(outcome)")
                }
            }
        }

        @Test func `with the seccomp profile nothing is left of the holes`() async throws {
            let folder = try TemporaryFolder()
            let attacks = try await Attacks(in: folder)
            let filter = folder.path + "/filter"
            try Data(ContainerFilter.program).write(to: URL(filePath: filter))
            try await LooseGuard.with { loose in
                let outcomes = try await attacks.run(loose.arguments + ["--filter", filter])
                for outcome in outcomes where outcome.verdict == "succeeded" {
                    #expect(attacks.has("harmless", outcome), "\(outcome)")
                }
                #expect(outcomes.count { $0.verdict == "refused" } > 200)
            }
        }
    }
}
