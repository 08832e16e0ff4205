internal import SlimNetlink

/// Programs that look at a packet's mark: kernels that cannot compare marks by `u32` or `fw` filters can run these.
enum MarkPrograms {
    /// As <linux/bpf_common.h> and <linux/filter.h> have them, which nobody can import: they are macros of macros.
    private enum Code {
        static let loadWord: UInt16 = 0x20
        static let loadConstant: UInt16 = 0x00
        static let and: UInt16 = 0x54
        static let or: UInt16 = 0x44
        static let shiftRight: UInt16 = 0x74
        static let shiftRightByX: UInt16 = 0x7c
        static let jump: UInt16 = 0x05
        static let jumpIfEqual: UInt16 = 0x15
        static let jumpIfNotBelow: UInt16 = 0x35
        static let toX: UInt16 = 0x07
        static let answer: UInt16 = 0x06
        static let answerAccumulator: UInt16 = 0x16
    }

    /// SKF_AD_OFF + SKF_AD_MARK: the mark, as if it stood in the packet.
    static let markOffset = UInt32(bitPattern: -0x1000 + 20)

    private typealias Instruction = PacketProgram.Instruction

    /// Answers the handle of a packet's class, which follows from its mark; 0 for a mark that is not Slim's.
    static var classOf: PacketProgram {
        let ways = TrafficMark.Way.allCases
        let answers = ways.map { way in
            [
                Instruction(Code.loadWord, markOffset), Instruction(Code.and, ~TrafficMark.wayMask),
                Instruction(Code.or, TrafficClasses.leaves(way).rawValue), Instruction(Code.answerAccumulator, 0),
            ]
        }
        let tests = zip(ways, answers).flatMap { way, answer in
            [Instruction(Code.jumpIfEqual, way.rawValue, fails: UInt8(answer.count))] + answer
        }
        return PacketProgram(
            [Instruction(Code.loadWord, markOffset), Instruction(Code.and, TrafficMark.wayMask)] + tests
                + [Instruction(Code.answer, 0)])
    }

    /// Answers all ones for packets of some containers, 0 for all others.
    ///
    /// The numbers are a set of bits, found word by word: it is as fast and as long for one container as for all.
    static func isOneOf(_ numbers: Set<TrafficNumber>, _ ways: [TrafficMark.Way]) -> PacketProgram {
        var words = [UInt32](repeating: 0, count: 1 << (TrafficNumber.bits - 5))
        for number in numbers { words[Int(number.rawValue >> 5)] |= 1 << UInt32(number.rawValue & 31) }
        let find = search(words, from: 0)
        // After the search, A is the word.
        let test = [
            Instruction(Code.shiftRightByX, 0), Instruction(Code.and, 1), Instruction(Code.jumpIfEqual, 1, fails: 1),
        ]
        return PacketProgram(
            checks(ways) + [
                Instruction(Code.loadWord, markOffset), Instruction(Code.and, 31), Instruction(Code.toX, 0),
                Instruction(Code.loadWord, markOffset), Instruction(Code.and, UInt32(TrafficNumber.mask)),
                Instruction(Code.shiftRight, 5),
            ] + resolved(find) + test + [Instruction(Code.answer, .max), Instruction(Code.answer, 0)])
    }

    /// Goes on for marks of some ways, and answers 0 to all others.
    private static func checks(_ ways: [TrafficMark.Way]) -> [Instruction] {
        var result = [Instruction(Code.loadWord, markOffset), Instruction(Code.and, TrafficMark.wayMask)]
        for (index, way) in ways.enumerated() {
            result.append(Instruction(Code.jumpIfEqual, way.rawValue, holds: UInt8(ways.count - index)))
        }
        return result + [Instruction(Code.answer, 0)]
    }

    /// An instruction, or a jump behind the end of the search.
    private enum Step {
        case instruction(Instruction)
        case end
    }

    /// Loads the word of a number that is in A, of those from a first one on. Equal neighbours are one.
    private static func search(_ words: [UInt32], from first: Int) -> [Step] {
        guard let word = words.first else { return [] }
        if words.allSatisfy({ $0 == word }) { return [.instruction(Instruction(Code.loadConstant, word)), .end] }
        let middle = words.count / 2
        let lower = search(Array(words[..<middle]), from: first)
        let upper = search(Array(words[middle...]), from: first + middle)
        // A conditional jump does not reach far: it decides whether the far jump to the upper half is taken.
        return [
            .instruction(Instruction(Code.jumpIfNotBelow, UInt32(first + middle), fails: 1)),
            .instruction(Instruction(Code.jump, UInt32(lower.count))),
        ] + lower + upper
    }

    private static func resolved(_ steps: [Step]) -> [Instruction] {
        steps.enumerated().map { index, step in
            switch step {
            case .instruction(let instruction): instruction
            case .end: Instruction(Code.jump, UInt32(steps.count - index - 1))
            }
        }
    }
}
