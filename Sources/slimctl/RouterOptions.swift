internal import ArgumentParser
internal import SlimAdmin
internal import SlimLab

/// Which router a verb talks to.
struct RouterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The router: the path of its admin socket, or lab:HOST or lab:LAB/HOST.", valueName: "router"))
    var router = AdminClient.defaultSocketPath

    func validate() throws {
        guard router.hasPrefix("lab:") || router.contains("/") else {
            throw ValidationError("--router: '\(router)' is neither a path nor lab:HOST")
        }
    }

    func client() throws -> AdminClient {
        AdminClient(socketPath: router.hasPrefix("lab:") ? try LabDirectory.adminSocket(router: router) : router)
    }
}
