internal import SlimRegistry

/// The rules of a policy, made to be asked.
///
/// Rules with the same peers are a *group*; in a group a sorted table says which rule decides at which port. Groups are
/// numbered so that those with the same `from` follow each other. An identity class holds two sets of groups as bits,
/// those that it is the `from` and those that it is the `to` of; the groups that speak about a pair are in both.
struct RuleTable: Sendable {
    /// Part of ``segments`` of one group, direction and protocol.
    private struct Slice {
        let start: UInt32
        let count: UInt32
    }

    private static let slicesPerGroup = PolicyDirection.allCases.count * PolicyProtocol.allCases.count

    /// By rank: what denies by dropping, what denies by rejecting, what allows; among these by name.
    let rules: [PolicyRule]
    private let firstRejecting: Int32
    private let firstAllowing: Int32
    private(set) var groupCount = 0
    /// For every selector, the peer lists that it stands in.
    private var listsOfSelector: [[Int32]] = []
    /// For every peer list, the groups that it is the `from` of.
    private var groupsFrom: [Range<Int>] = []
    /// For every peer list, the groups that it is the `to` of.
    private var groupsTo: [[Int32]] = []
    private var slices: [Slice] = []
    private var starts: [UInt16] = []
    private var ranks: [Int32] = []

    /// - Parameter selectors: takes up the selectors of the rules.
    init(_ rules: [PolicyRule], _ selectors: inout SelectorIndex) {
        self.rules = rules.sorted { ($0.action.rank, $0.name) < ($1.action.rank, $1.name) }
        firstRejecting = Int32(self.rules.prefix { $0.action == .deny(.drop) }.count)
        firstAllowing = Int32(self.rules.prefix { $0.action != .allow }.count)
        var lists: [[Int32]: Int32] = [:]
        var members: [[Int32]] = []
        func list(_ peers: [PolicySelector]) -> Int32 {
            let ids = peers.map { selectors.id(of: $0) }.sorted()
            if let known = lists[ids] { return known }
            let id = Int32(members.count)
            lists[ids] = id
            members.append(ids)
            return id
        }
        struct Entry {
            let from: Int32
            let to: Int32
            let rank: Int32
        }
        let entries = self.rules.enumerated().map { rank, rule in
            Entry(from: list(rule.from), to: list(rule.to), rank: Int32(rank))
        }.sorted { ($0.from, $0.to, $0.rank) < ($1.from, $1.to, $1.rank) }

        groupsFrom = Array(repeating: 0..<0, count: members.count)
        groupsTo = Array(repeating: [], count: members.count)
        var first = 0
        while first < entries.count {
            let (from, to) = (entries[first].from, entries[first].to)
            var end = first
            while end < entries.count, entries[end].from == from, entries[end].to == to { end += 1 }
            let start = groupsFrom[Int(from)].isEmpty ? groupCount : groupsFrom[Int(from)].lowerBound
            groupsFrom[Int(from)] = start..<groupCount + 1
            groupsTo[Int(to)].append(Int32(groupCount))
            addGroup(entries[first..<end].map(\.rank))
            groupCount += 1
            first = end
        }
        listsOfSelector = Array(repeating: [], count: selectors.selectors.count)
        for (list, ids) in members.enumerated() { for id in ids { listsOfSelector[Int(id)].append(Int32(list)) } }
    }

    private mutating func addGroup(_ ranks: [Int32]) {
        var known: [[Int32]: Slice] = [:]
        for direction in PolicyDirection.allCases {
            for transport in PolicyProtocol.allCases {
                let speaking = ranks.filter { rank in
                    let rule = rules[Int(rank)]
                    return rule.direction.contains(direction)
                        && rule.protocols.contains(transport, withPorts: !rule.ports.isEmpty)
                }
                let slice = known[speaking] ?? addSlice(speaking)
                known[speaking] = slice
                slices.append(slice)
            }
        }
    }

    private mutating func addSlice(_ speaking: [Int32]) -> Slice {
        let segments = PortTable.segments(speaking.map { ($0, rules[Int($0)].ports) })
        let slice = Slice(start: UInt32(starts.count), count: UInt32(segments.count))
        starts += segments.map(\.start)
        ranks += segments.map(\.rank)
        return slice
    }

    /// Without touching the rule itself.
    func action(ofRank rank: Int32) -> PolicyAction {
        if rank >= firstAllowing { return .allow }
        return rank >= firstRejecting ? .deny(.reject) : .deny(.drop)
    }

    // MARK: Sets of groups

    /// Bits of the groups, after one bit for every 64 of them that tells whether any is set.
    struct GroupSet: Hashable, Sendable {
        fileprivate var words: [UInt64]

        fileprivate init(groups: Int) {
            let words = (groups + 63) / 64
            self.words = Array(repeating: 0, count: words + (words + 63) / 64)
        }

        fileprivate mutating func insert(_ group: Int, summaries: Int) {
            words[summaries + group / 64] |= 1 << UInt64(group % 64)
            words[group / 4096] |= 1 << UInt64(group / 64 % 64)
        }
    }

    /// Bits needed to say for 64 words of a set whether they are empty.
    private var summaries: Int { ((groupCount + 63) / 64 + 63) / 64 }

    /// The groups that whoever satisfies some selectors is the `from` of, and the `to` of.
    func groups(of selectors: [SelectorIndex.ID]) -> (from: GroupSet, to: GroupSet) {
        var from = GroupSet(groups: groupCount)
        var to = GroupSet(groups: groupCount)
        // A selector that no rule has came after them.
        for selector in selectors where Int(selector) < listsOfSelector.count {
            for list in listsOfSelector[Int(selector)] {
                for group in groupsFrom[Int(list)] { from.insert(group, summaries: summaries) }
                for group in groupsTo[Int(list)] { to.insert(Int(group), summaries: summaries) }
            }
        }
        return (from, to)
    }

    /// The rank of the rule that decides; ``PortTable/none`` when none speaks.
    func deciding(
        _ direction: PolicyDirection, _ from: GroupSet, _ to: GroupSet, _ port: UInt16, _ transport: PolicyProtocol
    ) -> Int32 {
        let kind = (direction == .ingress ? 0 : PolicyProtocol.allCases.count) + transport.rawValue
        var best = PortTable.none
        forEachCommon(from, to) { group in
            let slice = slices[group * Self.slicesPerGroup + kind]
            best = min(best, rank(in: slice, at: transport.hasPorts ? port : 0))
        }
        return best
    }

    @inline(__always)
    private func forEachCommon(_ from: GroupSet, _ to: GroupSet, _ body: (Int) -> Void) {
        let summaries = summaries
        from.words.withUnsafeBufferPointer { from in
            to.words.withUnsafeBufferPointer { to in
                for summary in 0..<summaries {
                    var words = from[summary] & to[summary]
                    while words != 0 {
                        let word = summary * 64 + words.trailingZeroBitCount
                        words &= words - 1
                        var groups = from[summaries + word] & to[summaries + word]
                        while groups != 0 {
                            body(word * 64 + groups.trailingZeroBitCount)
                            groups &= groups - 1
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private func rank(in slice: Slice, at port: UInt16) -> Int32 {
        guard slice.count > 1 else { return slice.count == 0 ? PortTable.none : ranks[Int(slice.start)] }
        // The last segment that begins at the port or before it; the first begins at 0.
        var low = Int(slice.start)
        var high = low + Int(slice.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= port { low = middle } else { high = middle }
        }
        return ranks[low]
    }

    /// Where in the range of ports which rule decides, over all groups that speak about a pair.
    func segments(
        _ direction: PolicyDirection, _ from: GroupSet, _ to: GroupSet, _ transport: PolicyProtocol
    ) -> [PortSegment] {
        let kind = (direction == .ingress ? 0 : PolicyProtocol.allCases.count) + transport.rawValue
        var parts: [Slice] = []
        forEachCommon(from, to) { group in
            let slice = slices[group * Self.slicesPerGroup + kind]
            if slice.count > 0 { parts.append(slice) }
        }
        if parts.isEmpty { return [] }
        let cuts = Set(parts.flatMap { starts[Int($0.start)..<Int($0.start + $0.count)] }).sorted()
        return cuts.reduce(into: []) { segments, cut in
            let best = parts.reduce(PortTable.none) { min($0, rank(in: $1, at: cut)) }
            if segments.last?.rank != best { segments.append(PortSegment(start: cut, rank: best)) }
        }
    }
}

extension PolicyAction {
    /// Deny beats allow, and the silent deny the other one: whatever the order of the rules.
    fileprivate var rank: Int {
        switch self {
        case .deny(.drop): 0
        case .deny(.reject): 1
        case .allow: 2
        }
    }
}
