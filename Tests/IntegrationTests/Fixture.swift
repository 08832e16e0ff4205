import Foundation
import SlimLab
import Testing

/// A lab under test, and how programs are run in it.
struct Fixture: Sendable {
    let lab: Lab
    let binaries: LabBinaries

    /// The lab of the suite that the running test is in.
    static var shared: Fixture { get throws { try #require(LabTrait.fixture, "this test belongs into Integration") } }

    /// The project's folder, two above this file's.
    static let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// Where the programs and the library under test are: what was built, unless the environment says otherwise.
    static let programs = ProcessInfo.processInfo.environment["SLIM_BIN"] ?? project + "/build/bin"
    static let libraries = ProcessInfo.processInfo.environment["SLIM_LIB"] ?? project + "/build/lib"
    static let slimctl = programs + "/slimctl"

    static let builtBinaries = LabBinaries(router: programs + "/slimrouter", library: libraries + "/libslimsocket.so")

    /// The router at another place, with the programs of its guard beside it.
    ///
    /// - Parameter isOther: whether its content is to differ.
    static func movedBinaries(into folder: TemporaryFolder, isOther: Bool = false) async throws -> LabBinaries {
        let files = FileManager.default
        for name in ["bin", "lib"] {
            try files.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: false)
        }
        let router = folder.path + "/bin/slimrouter"
        if isOther {
            try await Fixture.shared.check(["strip", "-o", router, builtBinaries.router], on: nil)
        } else {
            try files.copyItem(atPath: builtBinaries.router, toPath: router)
        }
        for file in try files.contentsOfDirectory(atPath: libraries) where file.hasSuffix(".bpf.o") {
            try files.copyItem(atPath: "\(libraries)/\(file)", toPath: "\(folder.path)/lib/\(file)")
        }
        return LabBinaries(router: router, library: builtBinaries.library)
    }

    /// `SLIM_TEST_SECURE=1`: every lab is a secure one.
    static let isSecure = ProcessInfo.processInfo.environment["SLIM_TEST_SECURE"] == "1"

    /// A name that no other run of the tests uses at the same time.
    static func labName(_ purpose: String) -> String { "test-\(ProcessInfo.processInfo.processIdentifier)-\(purpose)" }

    /// Has a lab used, and takes it down whatever happens.
    static func withLab(
        _ purpose: String, hosts: Int = 2, containers: Int = 2, secure: Bool = Self.isSecure,
        _ body: @Sendable (Fixture) async throws -> Void
    ) async throws {
        for path in [slimctl, builtBinaries.router, builtBinaries.library] {
            try #require(FileManager.default.fileExists(atPath: path), "\(path) is missing: build it with `make`")
        }
        let directory = try LabDirectory(labName(purpose))
        do {
            let lab = try await Lab.up(
                directory, try LabShape(hosts: hosts, containers: containers, secure: secure), builtBinaries)
            try await body(Fixture(lab: lab, binaries: builtBinaries))
        } catch {
            _ = try? await Lab.down(directory)
            throw error
        }
        try await Lab.down(directory)
    }

    // MARK: Programs

    /// - Parameter overlay: without the library.
    func program(
        _ arguments: [String], on node: String?, overlay: Bool = false, environment: [String] = []
    ) -> LabProgram {
        let isContainer = node?.contains("c") ?? false
        let library = isContainer && !overlay ? binaries.library : nil
        return LabProgram(
            arguments, environment: Lab.environment(library: library, changes: environment), directory: "/", node: node)
    }

    /// Runs a program to its end, whatever that is.
    func run(
        _ arguments: [String], on node: String?, overlay: Bool = false, environment: [String] = [],
        atMost limit: Duration = .seconds(120)
    ) async throws -> LabProcess.Outcome {
        try await lab.run(program(arguments, on: node, overlay: overlay, environment: environment), atMost: limit)
    }

    /// Runs a program that must succeed.
    ///
    /// - Returns: what it has written to standard output.
    @discardableResult
    func check(
        _ arguments: [String], on node: String?, overlay: Bool = false, environment: [String] = [],
        atMost limit: Duration = .seconds(120), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let outcome = try await run(arguments, on: node, overlay: overlay, environment: environment, atMost: limit)
        try #require(
            outcome.status == 0,
            "\(arguments.joined(separator: " ")): status \(outcome.status): \(outcome.errorOutput)\(outcome.output)",
            sourceLocation: sourceLocation)
        return outcome.output
    }

    /// Has a server used, and ends it whatever happens.
    ///
    /// - Parameter ready: what it says when it is ready.
    func withServer<Value>(
        _ arguments: [String], on node: String, overlay: Bool = false, environment: [String] = [], until ready: String,
        _ body: (LabProcess) async throws -> Value
    ) async throws -> Value {
        let process = try lab.start(program(arguments, on: node, overlay: overlay, environment: environment))
        do {
            try await process.waitForOutput(ready)
            let value = try await body(process)
            await process.end()
            return value
        } catch {
            await process.end()
            throw error
        }
    }

    /// Has a server used that says nothing: it is ready when its port answers over the plain overlay.
    func withSilentServer<Value>(
        _ arguments: [String], on node: String, port: Int, _ body: (LabProcess) async throws -> Value
    ) async throws -> Value {
        let process = try lab.start(program(arguments, on: node))
        do {
            try await waitForPort(port, on: node)
            let value = try await body(process)
            await process.end()
            return value
        } catch {
            await process.end()
            throw error
        }
    }

    private func waitForPort(_ port: Int, on node: String) async throws {
        let probe = [
            "bash", "-c",
            "for i in {1..200}; do (: </dev/tcp/127.0.0.1/\(port)) 2>&- && exit; sleep 0.02; done; exit 1",
        ]
        try await check(probe, on: node, overlay: true)
    }

    /// Runs slimctl as an operator does.
    func slimctl(_ arguments: [String]) async throws -> LabProcess.Outcome {
        try await run([Self.slimctl] + arguments, on: nil)
    }

    // MARK: Firewalls

    /// Sets rules for what arrives at a host, until ``allowAll(on:)``. The host's namespace is the lab's own.
    func firewall(on host: String, _ rules: [String]) async throws {
        let chain = "add table inet slimtest; add chain inet slimtest in { type filter hook input priority 0; }; "
        let added = rules.map { "add rule inet slimtest in \($0); " }.joined()
        try await check(["nft", chain + added], on: host)
    }

    func allowAll(on host: String) async throws {
        try await check(["nft", "delete", "table", "inet", "slimtest"], on: host)
    }

    /// Sets rules while something happens, and takes them away whatever does.
    func withFirewall<Value>(
        on host: String, _ rules: String..., while body: () async throws -> Value
    ) async throws -> Value {
        try await firewall(on: host, rules)
        do {
            let value = try await body()
            try await allowAll(on: host)
            return value
        } catch {
            try? await allowAll(on: host)
            throw error
        }
    }

    // MARK: What happened

    /// Bytes that have crossed a host's VXLAN device since the lab came up.
    func vxlanBytes(of host: String = "h1") throws -> UInt64 { try lab.bytes(through: "slim-vx", on: host) }

    /// Runs something and tells how many bytes crossed the first host's VXLAN device meanwhile.
    func vxlanBytes(during body: () async throws -> Void) async throws -> UInt64 {
        let before = try vxlanBytes()
        try await body()
        return try vxlanBytes() - before
    }

    func address(_ node: String, v6: Bool = false) throws -> String { try lab.address(of: node, v6: v6) }
}
