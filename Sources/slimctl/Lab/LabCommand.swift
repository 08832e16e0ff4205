internal import ArgumentParser
internal import SlimLab

/// `slimctl lab`: several hosts and their containers on this machine.
struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Several hosts and their containers on this machine, to try Slim out.",
        discussion: """
            Each host is a network namespace with its own router, bridge and VXLAN device; its containers have network, \
            mount and UTS namespaces and see this machine's programs. Other verbs reach a host's router with --router lab:h1.
            """,
        subcommands: [
            LabUp.self, LabExec.self, LabHostExec.self, LabAddress.self, LabRouterCommand.self, LabLink.self,
            LabStatusCommand.self, LabDown.self,
        ])
}

/// Which lab: most people have one.
struct LabOptions: ParsableArguments {
    @Option(help: "The name of the lab.")
    var name = LabDirectory.defaultName
}
