internal import ArgumentParser
internal import SlimLab

struct LabAddress: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "address", abstract: "Print the address of a container or host.")

    @Flag(name: .customShort("6"), help: "The IPv6 address.")
    var v6 = false
    @OptionGroup var lab: LabOptions
    @Argument(help: "A container or host.")
    var node: String

    func run() async throws {
        Output.write(try Lab(lab.name).address(of: node, v6: v6) + "\n")
    }
}
