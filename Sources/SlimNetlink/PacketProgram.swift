/// A program in the kernel's classic packet filter language: looks at a packet and answers with a number.
package struct PacketProgram: Hashable, Sendable {
    package struct Instruction: Hashable, Sendable {
        package let code: UInt16
        /// How many instructions to skip when a test holds, and when it does not.
        package let jumps: (holds: UInt8, fails: UInt8)
        package let operand: UInt32

        package init(_ code: UInt16, _ operand: UInt32, holds: UInt8 = 0, fails: UInt8 = 0) {
            self.code = code
            self.operand = operand
            jumps = (holds, fails)
        }

        package static func == (a: Instruction, b: Instruction) -> Bool {
            a.code == b.code && a.operand == b.operand && a.jumps == b.jumps
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(code)
            hasher.combine(operand)
        }
    }

    package let instructions: [Instruction]

    package init(_ instructions: [Instruction]) { self.instructions = instructions }
}
