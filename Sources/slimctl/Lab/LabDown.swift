internal import ArgumentParser
internal import SlimLab

struct LabDown: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Remove a lab with all that runs in it, also after a crash.")

    @OptionGroup var lab: LabOptions

    func run() async throws {
        if try await !Lab.down(try LabDirectory(lab.name)) {
            Output.complain("lab \(lab.name) is not up; nothing to do")
        }
    }
}
