internal import ArgumentParser

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Works with the policy: who may connect to whom, and how fast.",
        subcommands: [
            PolicyValidate.self, PolicyReload.self, PolicyShow.self, PolicyDiff.self, PolicyExplain.self,
        ])
}
