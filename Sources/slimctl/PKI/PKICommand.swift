internal import ArgumentParser

struct PKICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pki", abstract: "Makes the certificates that routers prove themselves with.",
        subcommands: [PKIInit.self, PKIIssue.self, PKIRenew.self])
}
