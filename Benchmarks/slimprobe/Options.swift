/// The command line after the verb.
struct Options {
    private(set) var positional: [String] = []
    private(set) var count = 10_000
    private(set) var bytes = 1
    private(set) var connections = 100
    private(set) var port: UInt16 = 7
    /// So many, one after the other.
    private(set) var ports = 1
    private(set) var cpu: Int?
    private(set) var seconds = 1
    /// Per second; 0 is no limit.
    private(set) var rate = 0
    /// 0 takes what the name stands for, 4 and 6 insist on a family.
    private(set) var family = 0

    init(_ arguments: ArraySlice<String>) throws(ProbeError) {
        var rest = arguments
        while let argument = rest.popFirst() {
            switch argument {
            case "--count": count = try Self.number(argument, &rest, in: 1...100_000_000)
            case "--bytes": bytes = try Self.number(argument, &rest, in: 1...1_048_576)
            case "--connections": connections = try Self.number(argument, &rest, in: 1...1_000_000)
            case "--port": port = UInt16(try Self.number(argument, &rest, in: 1...65535))
            case "--ports": ports = try Self.number(argument, &rest, in: 1...10_000)
            case "--cpu": cpu = try Self.number(argument, &rest, in: 0...1023)
            case "--seconds": seconds = try Self.number(argument, &rest, in: 1...100_000)
            case "--rate": rate = try Self.number(argument, &rest, in: 0...1_000_000_000)
            case "-4": family = 4
            case "-6": family = 6
            case _ where argument.hasPrefix("-"): throw .usage("unknown option \(argument)")
            default: positional.append(argument)
            }
        }
    }

    /// The first positional argument, which is taken away.
    mutating func takeFirst() -> String? { positional.isEmpty ? nil : positional.removeFirst() }

    private static func number(
        _ option: String, _ rest: inout ArraySlice<String>, in range: ClosedRange<Int>
    ) throws(ProbeError) -> Int {
        guard let text = rest.popFirst(), let value = Int(text), range.contains(value) else {
            throw .usage("\(option) wants a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
