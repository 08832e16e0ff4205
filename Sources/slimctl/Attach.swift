internal import ArgumentParser
internal import SlimAdmin

struct Attach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Gives an existing network namespace addresses and has the router serve it.",
        discussion: "Start programs in it with LD_PRELOAD naming libslimsocket.so and SLIM_ROUTER=@slim.")

    @OptionGroup var router: RouterOptions
    @Option(help: "The network namespace: /run/netns/NAME, /proc/PID/ns/net.", completion: .file()) var netns: String
    @Option(help: "The name of the container.") var name: String
    @Option(help: "A label, key=value; may be given several times.") var label: [Label] = []
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let container = try await router.client().attach(
            AttachRequest(name: name, netns: netns, labels: label.dictionary))
        if json { return try Output.writeJSON(container) }
        Output.write(
            "\(container.name) \([container.ipv4, container.ipv6].compactMap(\.self).joined(separator: " "))\n")
    }
}
