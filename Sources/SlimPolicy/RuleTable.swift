internal import SlimRegistry

/// The rules of a policy, made to be asked.
///
/// Rules with the same peers are a *group*; in a group a sorted table says which rule decides at which port. An endpoint is
/// in the `from` lists of some groups (``Senders``) and in the `to` lists of others (``Receivers``); the groups that speak
/// about a pair are found by looking for each of the few lists of the sender among those of the receiver.
struct RuleTable: Sendable {
    /// Part of ``segments`` for one group, direction and protocol.
    private struct Slice {
        let start: UInt32
        let count: UInt32
    }

    /// By rank: what denies by dropping, what denies by rejecting, what allows; among these by name.
    let rules: [PolicyRule]
    private let firstRejecting: Int32
    private let firstAllowing: Int32
    private let fromLists: PeerLists
    private let toLists: PeerLists
    /// For every group, its `from` list; ascending.
    private var fromOfGroup: [Int32] = []
    /// For every `to` list, its groups.
    private var groupsOfTo: [[Int32]]
    /// For every direction and protocol, of every group: what is asked for together lies together.
    private var slices: [Slice] = []
    private var groupCount: Int { fromOfGroup.count }
    private var segments: [PortSegment] = []

    /// - Parameter selectors: takes up the selectors of the rules.
    init(_ rules: [PolicyRule], _ selectors: inout SelectorIndex) {
        // They come sorted by name.
        self.rules = [.deny(.drop), .deny(.reject), .allow].flatMap { action in rules.filter { $0.action == action } }
        firstRejecting = Int32(self.rules.prefix { $0.action == .deny(.drop) }.count)
        firstAllowing = Int32(self.rules.prefix { $0.action != .allow }.count)
        var (fromLists, toLists) = (PeerLists(), PeerLists())
        var entries: [(from: Int32, to: Int32, rank: Int32)] = []
        entries.reserveCapacity(rules.count)
        for (rank, rule) in self.rules.enumerated() {
            entries.append(
                (fromLists.id(of: rule.from, &selectors), toLists.id(of: rule.to, &selectors), Int32(rank)))
        }
        entries.sort { $0 < $1 }
        (self.fromLists, self.toLists) = (fromLists, toLists)
        groupsOfTo = Array(repeating: [], count: toLists.count)
        var slicesOfKind: [[Slice]] = Array(repeating: [], count: Self.kinds)
        var first = 0
        while first < entries.count {
            let (from, to) = (entries[first].from, entries[first].to)
            var end = first
            while end < entries.count, entries[end].from == from, entries[end].to == to { end += 1 }
            groupsOfTo[Int(to)].append(Int32(fromOfGroup.count))
            fromOfGroup.append(from)
            let added = addGroup(entries[first..<end].map(\.rank))
            for (kind, slice) in added.enumerated() { slicesOfKind[kind].append(slice) }
            first = end
        }
        slices = slicesOfKind.flatMap(\.self)
    }

    /// - Returns: the tables of a group for every direction and protocol.
    private mutating func addGroup(_ ranks: [Int32]) -> [Slice] {
        var known: [(speaking: [Int32], slice: Slice)] = []
        return PolicyDirection.allCases.flatMap { direction in
            PolicyProtocol.allCases.map { transport in
                let speaking = ranks.filter { rank in
                    let rule = rules[Int(rank)]
                    return rule.direction.contains(direction)
                        && rule.protocols.contains(transport, withPorts: !rule.ports.isEmpty)
                }
                if let same = known.first(where: { $0.speaking == speaking }) { return same.slice }
                let slice = addSlice(speaking)
                known.append((speaking, slice))
                return slice
            }
        }
    }

    private mutating func addSlice(_ speaking: [Int32]) -> Slice {
        let added = PortTable.segments(speaking.map { ($0, rules[Int($0)].ports) })
        let slice = Slice(start: UInt32(segments.count), count: UInt32(added.count))
        segments += added
        return slice
    }

    /// Without touching the rule itself.
    func action(ofRank rank: Int32) -> PolicyAction {
        if rank >= firstAllowing { return .allow }
        return rank >= firstRejecting ? .deny(.reject) : .deny(.drop)
    }

    // MARK: Endpoints

    /// The `from` lists that whoever satisfies some selectors is in.
    func senders(_ selectors: [SelectorIndex.ID]) -> Senders {
        Senders(fromLists.ids(of: selectors), outOf: fromLists.count)
    }

    /// The groups that whoever satisfies some selectors is in the `to` list of.
    func receivers(_ selectors: [SelectorIndex.ID]) -> Receivers {
        let groups = toLists.ids(of: selectors).flatMap { groupsOfTo[Int($0)] }.sorted()
        return Receivers(groups, lists: fromLists.count) { fromOfGroup[Int($0)] }
    }

    // MARK: Decisions

    /// The rank of the rule that decides; ``PortTable/none`` when none speaks.
    func deciding(
        _ direction: PolicyDirection, _ from: Senders, _ to: Receivers, _ port: UInt16, _ transport: PolicyProtocol
    ) -> Int32 {
        let offset = groupCount * Self.kind(direction, transport)
        let port = transport.hasPorts ? port : 0
        var best = PortTable.none
        to.forEachGroup(of: from) { group in
            best = min(best, rank(in: slices[offset + group], at: port))
        }
        return best
    }

    private static let kinds = PolicyDirection.allCases.count * PolicyProtocol.allCases.count

    private static func kind(_ direction: PolicyDirection, _ transport: PolicyProtocol) -> Int {
        // In the order of ``addGroup(_:)``.
        (direction == .ingress ? 0 : PolicyProtocol.allCases.count) + transport.rawValue
    }

    @inline(__always)
    private func rank(in slice: Slice, at port: UInt16) -> Int32 {
        guard slice.count > 1 else { return slice.count == 0 ? PortTable.none : segments[Int(slice.start)].rank }
        // The last segment that begins at the port or before it; the first begins at 0.
        var low = Int(slice.start)
        var high = low + Int(slice.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if segments[middle].start <= port { low = middle } else { high = middle }
        }
        return segments[low].rank
    }

    /// Where in the range of ports which rule decides, over all groups that speak about a pair.
    func segments(
        _ direction: PolicyDirection, _ from: Senders, _ to: Receivers, _ transport: PolicyProtocol
    ) -> [PortSegment] {
        let offset = groupCount * Self.kind(direction, transport)
        var parts: [Slice] = []
        to.forEachGroup(of: from) { group in
            let slice = slices[offset + group]
            if slice.count > 0 { parts.append(slice) }
        }
        let cuts = Set(parts.flatMap { segments[Int($0.start)..<Int($0.start + $0.count)].map(\.start) }).sorted()
        return cuts.reduce(into: []) { merged, cut in
            let best = parts.reduce(PortTable.none) { min($0, rank(in: $1, at: cut)) }
            if merged.last?.rank != best { merged.append(PortSegment(start: cut, rank: best)) }
        }
    }
}

/// The different lists of peers that rules have, and which selectors are in which.
private struct PeerLists: Sendable {
    private var known: [[SelectorIndex.ID]: Int32] = [:]
    private var listsOfSelector: [SelectorIndex.ID: [Int32]] = [:]
    private(set) var count = 0

    mutating func id(of peers: [PolicySelector], _ selectors: inout SelectorIndex) -> Int32 {
        let ids = peers.map { selectors.id(of: $0) }
        if let list = known[ids] { return list }
        let list = Int32(count)
        count += 1
        known[ids] = list
        for id in ids { listsOfSelector[id, default: []].append(list) }
        return list
    }

    /// The lists that have one of some selectors; ascending, none twice.
    func ids(of selectors: [SelectorIndex.ID]) -> [Int32] {
        Set(selectors.flatMap { listsOfSelector[$0] ?? [] }).sorted()
    }
}
