import SlimLab
import Testing

extension Integration.Resilience {
    /// `make soak`, for half a minute.
    @Suite struct Soak {
        @Test func `programs lose nothing while routers are killed, and nothing leaks`() async throws {
            let name = Fixture.labName("soak")
            let command = [
                Fixture.programs + "/slimbench", "soak", "--minutes", "0.4", "--every", "6", "--name", name,
            ]
            let outcome = try await Fixture.shared.run(command, on: nil, atMost: .seconds(240))
            // Where the soak was killed half way.
            if outcome.status != 0 { _ = try? await Lab.down(try LabDirectory(name)) }
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errorOutput.suffix(4000))")
            #expect(outcome.output.hasSuffix("Nothing was lost, nothing has leaked.\n"))
            #expect(!outcome.output.contains("\n0 routers killed"), "\(outcome.output)")
        }
    }
}
