internal import ArgumentParser
internal import CSlimSystem
internal import SlimAdmin
internal import SlimLab
internal import SystemPackage

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a program in a new container on this host.",
        discussion: """
            The container is a network, mount and UTS namespace of its own with addresses of the overlay; it sees the machine's \
            files. Standard streams, signals and the exit status are the program's; when it ends, the container is gone.
            """)

    @OptionGroup var router: RouterOptions
    @Option(help: "The name of the container. (default: run-PID)") var name: String?
    @Option(help: "A label, key=value; may be given several times.") var label: [Label] = []
    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments, after --.") var command: [String]

    private var program: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    func validate() throws {
        // What stands before the program is captured with it where it is no option of this verb.
        switch command.first {
        case "-h", "--help": throw CleanExit.helpRequest(self)
        case "--": break
        case let option? where option.hasPrefix("-"): throw ValidationError("Unknown option '\(option)'")
        default: break
        }
        guard let first = program.first, !first.isEmpty else {
            throw ValidationError("no program is given: write it after --")
        }
    }

    func run() async throws {
        let name = name ?? "run-\(slim_admin_process())"
        let client = try router.client()
        let library = try LabBinaries.find().library
        let request = AttachRequest(name: name, netns: "/", labels: label.dictionary)
        try request.validate()
        _ = slim_run_hold_signals()
        let namespaces = try namespaces(name)
        var attachment = request
        attachment.netns = namespaces.networkPath
        _ = try await client.attach(attachment)
        let result: Result<CInt, any Error>
        do { result = .success(try await runProgram(in: namespaces, library: library)) } catch {
            result = .failure(error)
        }
        do { try await client.detach(name) } catch {
            Output.complain("the container \(name) stays: \(error); use `slimctl detach \(name)`")
        }
        throw ExitCode(try result.get())
    }

    private func namespaces(_ name: String) throws -> NewNamespaces {
        do throws(Errno) { return try NewNamespaces(hostName: name) } catch {
            let remedy = error == .notPermitted ? "; run it as root" : ""
            throw RunError(status: .badInput, description: "cannot make namespaces: \(error)\(remedy)")
        }
    }

    private func runProgram(in namespaces: NewNamespaces, library: String) async throws -> CInt {
        let held = slim_run_held_signal()
        guard held == 0 else { return 128 + held }
        let environment = Lab.environment(library: library)
        do {
            return try await ContainerProgram(arguments: program, environment: environment).start(in: namespaces).end()
        } catch let error as Errno {
            let missing = error == .noSuchFileOrDirectory
            throw RunError(
                status: ExitCode(missing ? 127 : 126),
                description: "\(program[0]): \(missing ? "no such program" : "cannot be started: \(error)")")
        }
    }
}
