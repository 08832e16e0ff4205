internal import ArgumentParser
internal import SlimLab

struct LabExec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a program in a container.",
        usage: "slimctl lab exec [--overlay] [--env <K=V>] [--name <name>] <container> -- <command> ...")

    @Flag(help: "Without the library: on the plain overlay.")
    var overlay = false
    @Option(help: "A variable for the program, K=V; can be repeated.")
    var env: [String] = []
    @OptionGroup var lab: LabOptions
    @Argument(help: "The container, such as h1c1.")
    var container: String
    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var command: [String] = []

    func validate() throws {
        for variable in env where !variable.dropFirst().contains("=") || variable.hasPrefix("=") {
            throw ValidationError("--env \(variable): write it as NAME=VALUE")
        }
        if command.isEmpty { throw ValidationError("no program is given; write it after --") }
    }

    func run() async throws {
        let lab = try Lab(lab.name)
        let library = overlay ? nil : try LabBinaries.find().library
        try lab.execute(command, inContainer: container, library: library, environment: env)
    }
}
