import CSlimSocket
import Testing

@testable import SlimSocket

/// Seccomp filters, run as the kernel runs them.
@Suite struct FilterTests {
    private static let allow: UInt32 = 0x7fff_0000
    private static let kill: UInt32 = 0x8000_0000

    private func instruction(_ code: UInt16, _ operand: UInt32 = 0, _ ifTrue: UInt8 = 0, _ ifFalse: UInt8 = 0)
        -> slim_instruction
    {
        slim_instruction(code: code, if_true: ifTrue, if_false: ifFalse, operand: operand)
    }

    private func allows(_ program: [slim_instruction], number: Int32 = 1, argument: UInt64 = 0) -> Bool {
        var call = slim_call_data()
        call.number = number
        call.arguments.1 = argument
        return program.withUnsafeBufferPointer { Filter(instructions: $0).allows(call) }
    }

    /// Returns "allow" if the accumulator is what it should be.
    private func expects(_ value: UInt32) -> [slim_instruction] {
        [instruction(0x15, value, 0, 1), instruction(0x06, Self.allow), instruction(0x06, Self.kill)]
    }

    @Test(arguments: [
        (UInt32(0x7fff_0000), true), (0x7ffc_0000, true), (0x7ff0_0000, false), (0x7fc0_0000, false),
        (0x0005_0001, false), (0x0003_0000, false), (0x8000_0000, false), (0, false),
    ])
    func `only what is let through is allowed`(action: UInt32, isAllowed: Bool) {
        #expect(allows([instruction(0x06, action)]) == isAllowed)
    }

    @Test func `numbers and arguments are told apart`() {
        let byNumber = [instruction(0x20, 0)] + expects(7)
        #expect(allows(byNumber, number: 7))
        #expect(!allows(byNumber, number: 8))
        let byArgument = [instruction(0x20, 24)] + expects(9)
        #expect(allows(byArgument, argument: 9))
        #expect(allows(byArgument, argument: 0x1_0000_0009))
        #expect(!allows([instruction(0x20, 28)] + expects(0), argument: 0x1_0000_0009))
    }

    @Test func `arithmetic is the kernel's`() {
        let start = [instruction(0x00, 12)]
        let results: [(UInt16, UInt32, UInt32)] = [
            (0x04, 5, 17), (0x14, 13, .max), (0x24, 3, 36), (0x34, 5, 2), (0x44, 3, 15), (0x54, 6, 4), (0x64, 2, 48),
            (0x74, 2, 3), (0xa4, 6, 10), (0x84, 0, 0xffff_fff4),
        ]
        for (code, operand, result) in results {
            #expect(allows(start + [instruction(code, operand)] + expects(result)), "\(code)")
            let byIndex = [instruction(0x01, operand)] + start + [instruction(code | 0x08)] + expects(result)
            #expect(allows(byIndex), "\(code) by the index register")
        }
        #expect(allows([instruction(0x80)] + expects(64)))
        // Into the scratch memory, over to the index register, and back.
        let memory = [
            instruction(0x02, 15), instruction(0x00, 1), instruction(0x61, 15), instruction(0x03, 3),
            instruction(0x60, 3), instruction(0x07), instruction(0x00), instruction(0x87),
        ]
        #expect(allows(start + memory + expects(12)))
    }

    @Test func `jumps go where the kernel goes`() {
        for (code, operand, holds) in [
            (UInt16(0x15), UInt32(12), true), (0x15, 13, false), (0x25, 11, true), (0x25, 12, false), (0x35, 12, true),
            (0x35, 13, false), (0x45, 4, true), (0x45, 3, false),
        ] {
            let program = [
                instruction(0x00, 12), instruction(code, operand, 1, 0), instruction(0x05, 1),
                instruction(0x06, Self.allow), instruction(0x06, Self.kill),
            ]
            #expect(allows(program) == holds, "\(code) \(operand)")
        }
    }

    @Test func `what is no filter allows nothing`() {
        #expect(!allows([]))
        #expect(!allows([instruction(0x20, 0)]))
        #expect(!allows([instruction(0xffff), instruction(0x06, Self.allow)]))
        #expect(!allows([instruction(0x20, 64), instruction(0x06, Self.allow)]))
        #expect(!allows([instruction(0x20, 2), instruction(0x06, Self.allow)]))
        #expect(!allows([instruction(0x02, 16), instruction(0x06, Self.allow)]))
        #expect(!allows([instruction(0x34, 0), instruction(0x06, Self.allow)]))
        #expect(!allows([instruction(0x05, .max), instruction(0x06, Self.allow)]))
    }

    @Test func `a filter takes the purposes whose calls it does not let through`() {
        func forbidden(_ program: [slim_instruction]) -> UInt32 {
            program.withUnsafeBufferPointer { Sandbox.forbidden(by: Filter(instructions: $0)) }
        }
        func allBut(_ number: Int32) -> [slim_instruction] {
            [
                instruction(0x20, 0), instruction(0x15, UInt32(number), 1, 0), instruction(0x06, Self.allow),
                instruction(0x06, Self.kill),
            ]
        }
        let everything = UInt32(SLIM_MAY_LOOK | SLIM_MAY_ACCEPT | SLIM_MAY_ASK)
        #expect(forbidden([instruction(0x06, Self.allow)]) == 0)
        #expect(forbidden([instruction(0x06, Self.kill)]) == everything)
        var count = 0
        let calls = slim_own_calls(&count)
        for index in 0..<count {
            let call = calls?[index] ?? slim_call()
            #expect(forbidden(allBut(call.data.number)) & call.purpose == call.purpose)
            #expect(forbidden(allBut(call.data.number)) & UInt32(SLIM_MAY_ASK) != 0)
        }
    }
}
