internal import ArgumentParser
internal import SlimLab

struct LabUp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Bring a lab up; it is ready when the command returns.")

    @Option(help: "The number of hosts.")
    var hosts = 2
    @Option(help: "The number of containers on each host.")
    var containers = 2
    @Flag(help: "Secure mode: host sockets are guarded (BPF), and containers' programs run under its seccomp profile.")
    var secure = false
    @OptionGroup var lab: LabOptions

    func run() async throws {
        let directory = try LabDirectory(lab.name)
        let shape = try LabShape(hosts: hosts, containers: containers, secure: secure)
        let lab = try await Lab.up(directory, shape, try LabBinaries.find()) {
            Output.complain("lab \(directory.name): \($0)")
        }
        Output.write(lab.status().table)
    }
}
