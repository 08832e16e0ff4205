import Foundation
import Testing

/// The kernel module, on kernels that boot for it: its tests are programs of the emulated machine (`kmod/tests`).
@Suite(.serialized)
struct KernelModuleTests {
    /// Series of Debian's kernels to boot: `make test-kernels` names others.
    static let kernels = (ProcessInfo.processInfo.environment["SLIM_TEST_KERNELS"] ?? "6.1")
        .split(separator: " ").map(String.init)

    @Test(.timeLimit(.minutes(20)), arguments: kernels)
    func `the kernel module holds its promises and the kernel stays well`(kernel: String) throws {
        let machine = try TestMachine(kernel: kernel)
        let outcome = try machine.boot(atMost: .seconds(900))
        let missed = outcome.output.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("ok ") }
            .joined(separator: "\n")
        #expect(outcome.status == TestMachine.succeeded, "status \(outcome.status)\n\(missed)")
        #expect(outcome.output.contains("\nslim tests passed"), "\(missed)")
        #expect(outcome.output.contains("\ntainted: 12288"), "only an unsigned module from outside the tree taints")
        #expect(!outcome.output.contains("\nnot ok"), "\(missed)")
    }
}
