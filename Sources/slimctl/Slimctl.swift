internal import ArgumentParser
internal import SlimConfiguration
internal import SystemPackage

/// The operator's tool.
@main
struct Slimctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slimctl",
        abstract: "Looks into and works with SlimRouter, the container network of this host.",
        version: SlimVersion.current,
        subcommands: [
            Status.self, Hosts.self, Containers.self, Listeners.self, Connections.self, Run.self, Attach.self,
            Detach.self, LabelCommand.self, PolicyCommand.self, SecureCommand.self,
            OverlayCommand.self, PKICommand.self, LabCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(with: error)
        }
    }

    private static func exit(with error: any Error) -> Never {
        // What ArgumentParser itself has to say: help and completion scripts, wrong usage, a wish for an exit status.
        let status = exitCode(for: error)
        if status == .validationFailure || status == .success || error is ExitCode {
            let message = fullMessage(for: error)
            let output = status == .success ? FileDescriptor.standardOutput : .standardError
            if !message.isEmpty { _ = try? output.writeAll("\(message)\n".utf8) }
            exit(withoutError: status == .validationFailure ? .badInput : status)
        }
        Output.complain("\(error)")
        exit(withoutError: .of(error))
    }

    private static func exit(withoutError status: ExitCode) -> Never { exit(withError: status) }
}
