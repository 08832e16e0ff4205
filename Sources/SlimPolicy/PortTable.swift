internal import SlimRegistry

/// From a port on, until the next segment begins, the rule of this rank decides.
struct PortSegment: Hashable {
    let start: UInt16
    /// ``PortTable/none`` where no rule speaks.
    let rank: Int32
}

/// Which of several rules decides at which port.
enum PortTable {
    /// Later than every rule.
    static let none = Int32.max

    /// The segments of a table, ascending, the first at port 0; empty when no rule speaks at all.
    ///
    /// - Parameter claims: rules by rank, the best first, and the ports that they speak about; none: all.
    static func segments(_ claims: [(rank: Int32, ports: [PolicyPortRange])]) -> [PortSegment] {
        guard let best = claims.first else { return [] }
        if best.ports.isEmpty { return [PortSegment(start: 0, rank: best.rank)] }

        // Ports between two cuts are alike. The best rule paints first, and what is painted is skipped.
        var cuts: [Int] = [0]
        for claim in claims {
            for range in claim.ports { cuts += [Int(range.first.rawValue), Int(range.last.rawValue) + 1] }
        }
        cuts.sort()
        cuts = cuts.reduce(into: []) { if $0.last != $1, $1 <= 0xffff { $0.append($1) } }
        var ranks = [Int32](repeating: none, count: cuts.count)
        var next = Array(0...cuts.count)
        func firstFree(_ index: Int) -> Int {
            var root = index
            while next[root] != root { root = next[root] }
            var step = index
            while next[step] != root { (step, next[step]) = (next[step], root) }
            return root
        }
        for claim in claims {
            let ranges =
                claim.ports.isEmpty
                ? [0...0xffff]
                : claim.ports.map {
                    Int($0.first.rawValue)...Int($0.last.rawValue)
                }
            for range in ranges {
                var index = firstFree(lowerBound(cuts, range.lowerBound))
                while index < cuts.count, cuts[index] <= range.upperBound {
                    ranks[index] = claim.rank
                    next[index] = index + 1
                    index = firstFree(index)
                }
            }
        }
        return zip(cuts, ranks).reduce(into: []) { segments, cut in
            if segments.last?.rank != cut.1 {
                segments.append(PortSegment(start: UInt16(truncatingIfNeeded: cut.0), rank: cut.1))
            }
        }
    }

    private static func lowerBound(_ cuts: [Int], _ value: Int) -> Int {
        var (low, high) = (0, cuts.count)
        while low < high {
            let middle = (low + high) / 2
            if cuts[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
