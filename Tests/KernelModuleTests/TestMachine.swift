import Foundation
import Testing

/// An emulated machine that boots one of Debian's kernels with the module, and with nothing but what it is to be tested by.
struct TestMachine {
    enum Image: String, CaseIterable {
        /// The module's own tests, and the attack suite.
        case tests
        /// Routers, containers and programs, with the module.
        case system
        /// The same with BPF programs, on a kernel that runs them as a security module, and the attack suite on them.
        case lsm

        /// What makes it, and the file that comes of it.
        var target: String { self == .tests ? "image" : "system" }
        var file: String { self == .tests ? "initramfs.cpio" : "system.cpio" }
        /// For the kernel.
        var options: [String] { self == .lsm ? ["lsm=bpf", "slim.lsm"] : [] }
    }

    struct Run: CustomStringConvertible {
        let kernel: String
        let image: Image
        /// The attack suite without a guard too, to see that its attacks succeed then.
        let isThorough: Bool

        var description: String { "Linux \(kernel), \(image)" }
    }

    struct Outcome {
        var status: Int32
        var output: String
    }

    /// The exit status of the emulator when the machine's last word was that all is well (`isa-debug-exit`).
    static let succeeded: Int32 = 33

    private static let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private let run: Run
    private let folder: URL

    /// Builds the module and an image for the newest Debian kernel of a series.
    init(_ run: Run) throws {
        self.run = run
        folder = Self.project.appending(path: "build/kmod/\(run.kernel)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let arguments = [
            "make", "-s", "-C", Self.project.appending(path: "kmod").path, run.image.target, "KERNEL=\(run.kernel)",
        ]
        let built = try Self.run(arguments, log: folder.appending(path: "build.log"))
        try #require(
            built.status == 0, "\(arguments.joined(separator: " ")): status \(built.status)\n\(built.output)")
    }

    /// Boots it and waits until it has turned itself off.
    ///
    /// - Returns: the emulator's status, and what the machine has written to its console, which stays in a file beside the image.
    func boot(atMost limit: Duration) throws -> Outcome {
        try Self.run(
            [
                "timeout", "--kill-after=5", "\(limit.components.seconds)",
                Self.project.appending(path: "kmod/tests/boot").path, folder.path, run.image.file,
            ] + run.image.options + (run.isThorough ? ["slim.thorough"] : []),
            log: folder.appending(path: "console-\(run.image).log"))
    }

    private static func run(_ arguments: [String], log: URL) throws -> Outcome {
        let process = Process()
        try #require(FileManager.default.createFile(atPath: log.path, contents: nil), "\(log.path)")
        let output = try FileHandle(forWritingTo: log)
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        try output.close()
        // By bytes: a carriage return and the newline after it are one character.
        let text = try Data(contentsOf: log).filter { $0 != UInt8(ascii: "\r") }
        return Outcome(status: process.terminationStatus, output: String(decoding: text, as: UTF8.self))
    }
}
