internal import ArgumentParser
internal import SlimLab

struct LabStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show a lab's hosts, containers and addresses.")

    @Flag(help: "As JSON.")
    var json = false
    @OptionGroup var lab: LabOptions

    func run() async throws {
        let status = try Lab(lab.name).status()
        if json { try Output.writeJSON(status) } else { Output.write(status.table) }
    }
}
