import Foundation
import Testing

/// An emulated machine that boots one of Debian's kernels with the module and its tests, and nothing else.
struct TestMachine {
    /// The exit status of the emulator when the machine's last word was that all is well (`isa-debug-exit`).
    static let succeeded: Int32 = 33

    struct Outcome {
        var status: Int32
        /// What the machine has written to its console.
        var output: String
    }

    private static let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private let files: URL

    /// Builds the module and its tests for the newest Debian kernel of a series.
    init(kernel: String) throws {
        files = Self.project.appending(path: "build/kmod/\(kernel)")
        let built = try Self.run([
            "make", "-s", "-C", Self.project.appending(path: "kmod").path, "image", "KERNEL=\(kernel)",
        ])
        try #require(built.status == 0, "make -C kmod image KERNEL=\(kernel): status \(built.status)\n\(built.output)")
    }

    /// Boots it, with the allocator's checks on, and waits until it has turned itself off.
    func boot(atMost limit: Duration) throws -> Outcome {
        try Self.run([
            "timeout", "--kill-after=5", "\(limit.components.seconds)",
            "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "768",
            "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            "-kernel", files.appending(path: "vmlinuz").path, "-initrd", files.appending(path: "initramfs.cpio").path,
            "-append", "console=ttyS0 quiet panic=-1 slub_debug=FZPU",
        ])
    }

    private static func run(_ arguments: [String]) throws -> Outcome {
        let process = Process()
        let log = FileManager.default.temporaryDirectory.appending(path: "slim-machine-\(UUID().uuidString)")
        try #require(FileManager.default.createFile(atPath: log.path, contents: nil))
        defer { try? FileManager.default.removeItem(at: log) }
        let output = try FileHandle(forWritingTo: log)
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        try output.close()
        let text = String(decoding: try Data(contentsOf: log), as: UTF8.self)
        return Outcome(
            status: process.terminationStatus, output: text.replacing("\r\n", with: "\n").replacing("\r", with: ""))
    }
}
