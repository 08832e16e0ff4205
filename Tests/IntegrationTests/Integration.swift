import SlimLab
import Testing

/// All tests that run programs in a lab; most share one of two hosts with two containers each. One after the other: they
/// share its ports too.
@Suite(.serialized, .lab)
enum Integration {
    /// What becomes of programs when something breaks, attacks, ends or reaches its limits: each test has a lab of its own.
    /// `make test` runs them beside the others, in a process of their own.
    @Suite enum Resilience {}
}

/// Brings up a lab around a suite and takes it down afterwards.
struct LabTrait: SuiteTrait, TestScoping {
    @TaskLocal static var fixture: Fixture?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await Fixture.withLab("suite") { fixture in
            try await LabTrait.$fixture.withValue(fixture) { try await function() }
        }
    }
}

extension Trait where Self == LabTrait {
    static var lab: LabTrait { LabTrait() }
}
