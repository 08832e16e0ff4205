internal import ArgumentParser
internal import FoundationEssentials
internal import SlimLab

/// One size of the tables, in a process of its own: what the sizes before have left does not count.
struct TableScaleRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale-tables", abstract: "Measure tables of one size, and print JSON.", shouldDisplay: false)

    @Option var connections: Int?
    @Option var hosts: Int?

    func validate() throws {
        guard (connections == nil) != (hosts == nil) else { throw ValidationError("--connections or --hosts") }
    }

    func run() async throws {
        var column = ScaleFigures.Column(size: 0)
        if let connections { column = try TableScale(connections: connections).measure() }
        if let hosts { column = try ClusterScale(hosts: hosts).measure() }
        print(String(decoding: try JSONEncoder().encode(column), as: UTF8.self))
    }

    /// Has such a process measure.
    ///
    /// - Parameter option: what the size is of.
    static func measure(_ option: String, _ size: Int) async throws -> ScaleFigures.Column {
        let program = LabProgram(
            ["/proc/self/exe", "scale-tables", option, "\(size)"], environment: Lab.environment(library: nil))
        let process = try LabProcess(program, in: try LabDirectory("scale"))
        let outcome = try await process.wait(atMost: .seconds(600))
        guard outcome.status == 0 else {
            throw LabError(.state, "scale-tables: exit status \(outcome.status): \(outcome.errorOutput.suffix(500))")
        }
        return try JSONDecoder().decode(ScaleFigures.Column.self, from: Data(outcome.output.utf8))
    }
}
