internal import ArgumentParser
internal import SlimLab

struct LabHostExec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host-exec", abstract: "Run a program on a host, beside its router.",
        usage: "slimctl lab host-exec [--name <name>] <host> -- <command> ...")

    @OptionGroup var lab: LabOptions
    @Argument(help: "The host, such as h1.")
    var host: String
    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("no program is given; write it after --") }
    }

    func run() async throws {
        try Lab(lab.name).execute(command, onHost: host)
    }
}
