internal import ArgumentParser
internal import SlimAdmin

struct Detach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes a container back: its addresses and its place in the router.")

    @OptionGroup var router: RouterOptions
    @Argument(help: "The name of the container.") var name: String

    func run() async throws { try await router.client().detach(name) }
}
