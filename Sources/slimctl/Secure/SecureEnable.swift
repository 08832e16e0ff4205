internal import ArgumentParser
internal import SlimAdmin
internal import SlimGuard

struct SecureEnable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Has all host sockets guarded from now on, also after a restart of the router.",
        discussion:
            "Until the machine is started again: `secure` in router.json is for ever. Connections that live stay as they "
            + "are. The exit status is 2 when this machine lacks what the guard needs; no host socket is handed out then."
    )

    @Option(help: "auto, module or bpf. auto takes the module when it is loaded or can be loaded, else BPF.")
    var `guard`: GuardChoice?
    @OptionGroup var options: ReportOptions

    func run() async throws {
        let report = try await options.router.client().enableSecureMode(SecureRequest(guard: self.guard?.rawValue))
        if options.json { return try Output.writeJSON(report) }
        Output.write(report.table)
    }
}
