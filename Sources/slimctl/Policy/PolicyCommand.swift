internal import ArgumentParser

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Checks and compares policies: who may connect to whom, and how fast.",
        subcommands: [PolicyValidate.self, PolicyDiff.self])
}
