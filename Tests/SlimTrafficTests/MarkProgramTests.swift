import SlimNetlink
import SlimPolicy
import Testing

@testable import SlimTraffic

struct MarkProgramTests {
    @Test func `a program finds the marks of its containers, and no others`() throws {
        var random = SystemRandomNumberGenerator()
        let sets: [Set<UInt16>] =
            [[], [0], [1, 2, 3], [2047], Set(0...2047), Set(stride(from: 0, to: 2048, by: 2))]
            + (0..<20).map { _ in
                Set((0..<Int.random(in: 1...300, using: &random)).map { _ in UInt16.random(in: 0...2047) })
            }
        for set in sets {
            let program = MarkPrograms.isOneOf(try numbers(set), [.connection, .packet])
            #expect(program.instructions.count < 400)
            for number in 0...UInt16(2047) {
                let expected: UInt32 = set.contains(number) ? .max : 0
                for way in [TrafficMark.Way.connection, .packet] {
                    let mark = try mark(way, number, UInt8.random(in: 0...7, using: &random))
                    #expect(try run(program, mark) == expected)
                }
            }
            for mark: UInt32 in [0, 1, 0x4000, 0xffff_ffff, 0x534e_0001, 0x534c_4001, 0x1234_0001] {
                #expect(try run(program, mark) == 0)
            }
        }
    }

    @Test func `a program for one way leaves the other alone`() throws {
        let program = MarkPrograms.isOneOf(try numbers([7]), [.packet])
        #expect(try run(program, try mark(.packet, 7, 4)) == .max)
        #expect(try run(program, try mark(.connection, 7, 4)) == 0)
    }

    @Test func `a packet's class follows from its mark`() throws {
        for number: UInt16 in [0, 1, 200, 2047] {
            for priority in UInt8(0)...7 {
                let known = try #require(TrafficNumber(rawValue: number))
                #expect(TrafficClasses.container(known).way == nil)
                for way in TrafficMark.Way.allCases {
                    let leaf = TrafficClasses.leaf(way, known, try #require(TrafficPriority(rawValue: priority)))
                    #expect(leaf.way == way)
                    #expect(try run(MarkPrograms.classOf, try mark(way, number, priority)) == leaf.rawValue)
                }
            }
        }
        #expect(try run(MarkPrograms.classOf, 0x4000) == 0)
    }

    private func numbers(_ set: Set<UInt16>) throws -> Set<TrafficNumber> {
        Set(try set.map { try #require(TrafficNumber(rawValue: $0)) })
    }

    private func mark(_ way: TrafficMark.Way, _ number: UInt16, _ priority: UInt8) throws -> UInt32 {
        TrafficMark(
            way, try #require(TrafficNumber(rawValue: number)), try #require(TrafficPriority(rawValue: priority))
        ).value
    }

    /// Does what the kernel does with a program, as far as Slim's use it.
    private func run(_ program: PacketProgram, _ mark: UInt32) throws -> UInt32 {
        var (a, x, next) = (UInt32(0), UInt32(0), 0)
        while true {
            try #require(program.instructions.indices.contains(next))
            let instruction = program.instructions[next]
            next += 1
            switch instruction.code {
            case 0x20:
                try #require(instruction.operand == 0xffff_f014)
                a = mark
            case 0x00: a = instruction.operand
            case 0x54: a &= instruction.operand
            case 0x44: a |= instruction.operand
            case 0x74: a >>= instruction.operand
            case 0x7c: a >>= x
            case 0x07: x = a
            case 0x05: next += Int(instruction.operand)
            case 0x15: next += Int(a == instruction.operand ? instruction.jumps.holds : instruction.jumps.fails)
            case 0x35: next += Int(a >= instruction.operand ? instruction.jumps.holds : instruction.jumps.fails)
            case 0x06: return instruction.operand
            case 0x16: return a
            default:
                Issue.record("instruction \(instruction.code)")
                return 0
            }
        }
    }
}
