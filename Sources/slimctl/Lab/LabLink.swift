internal import ArgumentParser
internal import SlimLab

struct LabLink: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Pull a host's cable to the underlay, or plug it in again.")

    enum State: String, ExpressibleByArgument, CaseIterable {
        case up, down
    }

    @OptionGroup var lab: LabOptions
    @Argument(help: "The host, such as h1.")
    var host: String
    @Argument(help: "What the link is to be.")
    var state: State

    func run() async throws {
        try Lab(lab.name).setLink(of: host, up: state == .up)
    }
}
