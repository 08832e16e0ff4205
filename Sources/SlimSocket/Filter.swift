import CSlimSocket

/// A seccomp filter (classic BPF), run as the kernel will run it.
struct Filter {
    /// What the kernel does after a call with SECCOMP_RET_ALLOW or SECCOMP_RET_LOG: it makes it.
    private static let allow: UInt32 = 0x7fff_0000
    private static let log: UInt32 = 0x7ffc_0000
    private static let actionMask: UInt32 = 0xffff_0000
    private static let scratchWords = 16

    let instructions: UnsafeBufferPointer<slim_instruction>

    /// Whether the filter lets a system call through. What the kernel would not take as a filter lets nothing through.
    func allows(_ call: slim_call_data) -> Bool {
        guard let result = run(call) else { return false }
        let action = result & Self.actionMask
        return action == Self.allow || action == Self.log
    }

    /// Jumps lead forward only: it ends.
    private func run(_ call: slim_call_data) -> UInt32? {
        var accumulator: UInt32 = 0
        var index: UInt32 = 0
        var scratch = InlineArray<16, UInt32>(repeating: 0)
        var next = 0
        while next < instructions.count {
            let instruction = instructions[next]
            let operand = instruction.operand
            next += 1
            switch instruction.code {
            case 0x20:
                guard let word = word(of: call, at: operand) else { return nil }
                accumulator = word
            case 0x80: accumulator = UInt32(MemoryLayout<slim_call_data>.size)
            case 0x81: index = UInt32(MemoryLayout<slim_call_data>.size)
            case 0x00: accumulator = operand
            case 0x01: index = operand
            case 0x60, 0x61, 0x02, 0x03:
                guard operand < UInt32(Self.scratchWords) else { return nil }
                let slot = Int(operand)
                switch instruction.code {
                case 0x60: accumulator = scratch[slot]
                case 0x61: index = scratch[slot]
                case 0x02: scratch[slot] = accumulator
                default: scratch[slot] = index
                }
            case 0x07: index = accumulator
            case 0x87: accumulator = index
            case 0x06: return operand
            case 0x16: return accumulator
            case 0x05: next += Int(operand)
            default:
                let other = instruction.code & 0x08 != 0 ? index : operand
                switch instruction.code & ~0x08 {
                case 0x84: accumulator = 0 &- accumulator
                case let code where code & 0x07 == 0x04:
                    guard let value = Self.calculate(code, accumulator, other) else { return nil }
                    accumulator = value
                case let code where code & 0x07 == 0x05:
                    guard let holds = Self.compare(code, accumulator, other) else { return nil }
                    next += Int(holds ? instruction.if_true : instruction.if_false)
                default: return nil
                }
            }
        }
        return nil
    }

    private func word(of call: slim_call_data, at offset: UInt32) -> UInt32? {
        guard offset % 4 == 0, offset < UInt32(MemoryLayout<slim_call_data>.size) else { return nil }
        return withUnsafeBytes(of: call) { $0.load(fromByteOffset: Int(offset), as: UInt32.self) }
    }

    private static func calculate(_ code: UInt16, _ a: UInt32, _ b: UInt32) -> UInt32? {
        switch code {
        case 0x04: a &+ b
        case 0x14: a &- b
        case 0x24: a &* b
        // The kernel ends the filter with 0, which kills.
        case 0x34: b == 0 ? nil : a / b
        case 0x44: a | b
        case 0x54: a & b
        case 0x64: b < 32 ? a << b : 0
        case 0x74: b < 32 ? a >> b : 0
        case 0xa4: a ^ b
        default: nil
        }
    }

    private static func compare(_ code: UInt16, _ a: UInt32, _ b: UInt32) -> Bool? {
        switch code {
        case 0x15: a == b
        case 0x25: a > b
        case 0x35: a >= b
        case 0x45: a & b != 0
        default: nil
        }
    }
}
