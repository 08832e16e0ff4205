import Foundation
import Testing

/// The kernel module, on kernels that boot for it: its tests are programs of the emulated machine (`kmod/tests`).
@Suite(.serialized)
struct KernelModuleTests {
    /// Series of Debian's kernels, which `make test-kernels` names; without it one is booted, for what takes a minute.
    private static let named = ProcessInfo.processInfo.environment["SLIM_TEST_KERNELS"]
    static let runs: [TestMachine.Run] =
        named.map { names in
            names.split(separator: " ").flatMap { kernel in
                TestMachine.Image.allCases.map { TestMachine.Run(kernel: String(kernel), image: $0, isThorough: true) }
            }
        } ?? [TestMachine.Run(kernel: "6.1", image: .tests, isThorough: false)]

    @Test(.timeLimit(.minutes(30)), arguments: runs)
    func `the kernel module holds its promises and the kernel stays well`(run: TestMachine.Run) throws {
        let machine = try TestMachine(run)
        let outcome = try machine.boot(atMost: .seconds(1200))
        let missed = outcome.output.split(whereSeparator: \.isNewline)
            .filter { !$0.hasPrefix("ok ") && !$0.hasPrefix("attack ") }.joined(separator: "\n")
        #expect(outcome.status == TestMachine.succeeded, "status \(outcome.status)\n\(missed)")
        #expect(outcome.output.contains("\nslim tests passed"), "\(missed)")
        #expect(
            outcome.output.contains("\ntainted: \(run.image == .lsm ? 0 : 12288)\n"),
            "only an unsigned module from outside the tree taints")
        #expect(!outcome.output.contains("\nnot ok"), "\(missed)")
    }
}
