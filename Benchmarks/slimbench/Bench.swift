internal import Glibc
internal import SlimLab
internal import Synchronization

/// A lab to measure in, and how programs are started in it.
struct Bench {
    let lab: Lab
    let binaries: LabBinaries
    var placement = Placement.twoHosts

    private static let interrupted = Atomic<Bool>(false)

    /// Brings up a lab of its own, has it used, and takes it down whatever happens.
    ///
    /// - Parameter policy: whether its routers have one. Then the hosts track connections, their own too.
    static func run(
        _ name: String, hosts: Int = 2, containers: Int = 2, secure: Bool = false, policy: Bool = true,
        _ body: (Bench) async throws -> Void
    ) async throws {
        // The programs under way end by the same signal; what follows is taking down.
        signal(SIGINT) { _ in Bench.interrupted.store(true, ordering: .relaxed) }
        signal(SIGTERM) { _ in Bench.interrupted.store(true, ordering: .relaxed) }
        let directory = try LabDirectory(name)
        let binaries = try LabBinaries.find()
        let shape = try LabShape(hosts: hosts, containers: containers, secure: secure, policy: policy)
        try await Lab.down(directory)
        do {
            let lab = try await Lab.up(directory, shape, binaries) { say("lab: \($0)") }
            try await body(Bench(lab: lab, binaries: binaries))
        } catch {
            _ = try? await Lab.down(directory)
            throw error
        }
        try await Lab.down(directory)
    }

    func address(_ mode: Mode) throws(LabError) -> String { try lab.address(of: placement.server(mode)) }

    /// Starts a server and waits until it has said that it is ready.
    func serve(_ mode: Mode, _ arguments: [String], until ready: String? = nil) async throws(LabError) -> LabProcess {
        let process = try start(arguments, on: placement.server(mode), underSlim: mode == .slim)
        if let ready { try await process.waitForOutput(ready) }
        return process
    }

    func start(_ mode: Mode, _ arguments: [String]) throws(LabError) -> LabProcess {
        try start(arguments, on: placement.client(mode), underSlim: mode == .slim)
    }

    /// Starts any program on a host or in a container.
    func start(_ arguments: [String], on node: String?, underSlim: Bool) throws(LabError) -> LabProcess {
        let environment = Lab.environment(library: underSlim ? binaries.library : nil)
        return try lab.start(LabProgram(arguments, environment: environment, directory: "/", node: node))
    }

    /// Runs a client to its end.
    ///
    /// - Returns: what it has written to standard output.
    func client(_ mode: Mode, _ arguments: [String]) async throws(LabError) -> String {
        try await run(arguments, on: placement.client(mode), underSlim: mode == .slim)
    }

    /// Runs a program to its end, which must be a good one.
    ///
    /// - Returns: what it has written to standard output.
    @discardableResult
    func run(
        _ arguments: [String], on node: String?, underSlim: Bool, atMost limit: Duration = .seconds(60)
    ) async throws(LabError) -> String {
        if Self.isInterrupted { throw LabError(.state, "interrupted") }
        let process = try start(arguments, on: node, underSlim: underSlim)
        process.closeInput()
        let outcome = try await process.wait(atMost: limit)
        guard outcome.status == 0 else {
            throw LabError(
                .state,
                "\(arguments.joined(separator: " ")) on \(node ?? "this machine")\(underSlim ? " under Slim" : ""): exit status \(outcome.status): \(outcome.errorOutput.suffix(500))\(outcome.output.suffix(500))"
            )
        }
        return outcome.output
    }

    /// Keeps all routers on one core for a while.
    func withRouters(on core: Int, _ body: () async throws -> Void) async throws {
        let processes = try lab.record.hosts.flatMap { (host) throws in try lab.router(of: host.name).processes }
        func keep(on cores: String) async throws {
            for process in processes {
                let pin = ["taskset", "-a", "-cp", cores, "\(process.id)"]
                // A thread that ends meanwhile makes it give up.
                var attempts = 20
                while true {
                    attempts -= 1
                    do throws(LabError) {
                        try await run(pin, on: nil, underSlim: false)
                        break
                    } catch { if attempts == 0 { throw error } }
                }
            }
        }
        try await keep(on: "\(core)")
        do { try await body() } catch {
            try await keep(on: "0-\(ProcessorTime.processorCount - 1)")
            throw error
        }
        try await keep(on: "0-\(ProcessorTime.processorCount - 1)")
    }

    static var isInterrupted: Bool { interrupted.load(ordering: .relaxed) }

    /// - Throws: ``LabError`` when a program is not in `PATH`.
    static func checkPrograms(_ names: [String]) throws(LabError) {
        let folders = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
        let missing = names.filter { name in !folders.contains { access("\($0)/\(name)", X_OK) == 0 } }
        guard missing.isEmpty else {
            throw LabError(
                .machine, "\(missing.joined(separator: ", ")): not in PATH; install what is missing with `make deps`")
        }
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
