internal import Glibc
internal import SlimLab
internal import Synchronization

/// A lab to measure in, and how programs are started in it.
struct Bench {
    let lab: Lab
    let binaries: LabBinaries

    private static let interrupted = Atomic<Bool>(false)

    /// Brings up a lab of its own, has it used, and takes it down whatever happens.
    static func run(_ name: String, _ body: (Bench) async throws -> Void) async throws {
        // The programs under way end by the same signal; what follows is taking down.
        signal(SIGINT) { _ in Bench.interrupted.store(true, ordering: .relaxed) }
        signal(SIGTERM) { _ in Bench.interrupted.store(true, ordering: .relaxed) }
        let directory = try LabDirectory(name)
        let binaries = try LabBinaries.find()
        try await Lab.down(directory)
        do {
            let lab = try await Lab.up(directory, try LabShape(hosts: 2, containers: 2), binaries) { say("lab: \($0)") }
            try await body(Bench(lab: lab, binaries: binaries))
        } catch {
            _ = try? await Lab.down(directory)
            throw error
        }
        try await Lab.down(directory)
    }

    func address(_ mode: Mode) throws(LabError) -> String { try lab.address(of: mode.server) }

    /// Starts a server and waits until it has said that it is ready.
    func serve(_ mode: Mode, _ arguments: [String], until ready: String? = nil) async throws(LabError) -> LabProcess {
        let process = try lab.start(program(mode, mode.server, arguments))
        if let ready { try await process.waitForOutput(ready) }
        return process
    }

    func start(_ mode: Mode, _ arguments: [String]) throws(LabError) -> LabProcess {
        try lab.start(program(mode, mode.client, arguments))
    }

    /// Runs a client to its end.
    ///
    /// - Returns: what it has written to standard output.
    func client(_ mode: Mode, _ arguments: [String]) async throws(LabError) -> String {
        if Self.interrupted.load(ordering: .relaxed) { throw LabError(.state, "interrupted") }
        let outcome = try await lab.run(program(mode, mode.client, arguments), atMost: .seconds(60))
        guard outcome.status == 0 else {
            throw LabError(
                .state,
                "\(arguments.joined(separator: " ")) on \(mode.rawValue): exit status \(outcome.status): \(outcome.errorOutput.suffix(500))\(outcome.output.suffix(500))"
            )
        }
        return outcome.output
    }

    private func program(_ mode: Mode, _ node: String, _ arguments: [String]) -> LabProgram {
        let environment = Lab.environment(library: mode == .slim ? binaries.library : nil)
        return LabProgram(arguments, environment: environment, directory: "/", node: node)
    }

    /// The probe beside this program.
    static var probeProgram: String {
        guard let path = realpath("/proc/self/exe", nil) else { return "slimprobe" }
        defer { free(path) }
        let own = String(cString: path)
        return (own.lastIndex(of: "/").map { own[..<$0] } ?? ".") + "/slimprobe"
    }

    /// Bytes that have crossed the first host's VXLAN device, both ways.
    func vxlanBytes() throws(LabError) -> UInt64 {
        try lab.bytes(through: "slim-vx", on: "h1")
    }
}

/// Progress, on standard error: standard output is for results.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}
