internal import ArgumentParser

/// Measures Slim beside the host's own network and the plain overlay.
@main
struct SlimBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slimbench",
        abstract: "Measures Slim beside the host's own network and the plain overlay, in a lab of its own.",
        subcommands: [
            Full.self, Quick.self, Demo.self, Soak.self, PolicyBench.self, PolicyLive.self, Rates.self,
            SecureBench.self, Attacks.self, Scale.self, TableScaleRun.self,
        ])
}
