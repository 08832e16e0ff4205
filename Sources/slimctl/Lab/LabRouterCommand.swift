internal import ArgumentParser
internal import SlimLab

struct LabRouterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "router", abstract: "Start, stop, restart or kill a host's router.")

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case start, stop, restart, kill
    }

    @OptionGroup var lab: LabOptions
    @Argument(help: "The host, such as h1.")
    var host: String
    @Argument(help: "What to do; kill is SIGKILL.")
    var action: Action

    func run() async throws {
        let lab = try Lab(lab.name)
        let router = try lab.router(of: host)
        switch action {
        case .start: try await lab.startRouter(of: host, try LabBinaries.find())
        case .stop: try await router.stop()
        case .restart:
            let binaries = try LabBinaries.find()
            try await router.stop()
            try await lab.startRouter(of: host, binaries)
        case .kill: try await router.kill()
        }
    }
}
