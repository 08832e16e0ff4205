internal import SlimPolicy
internal import SlimRegistry

/// What happens at which port: ascending, together all ports, no two neighbours alike. A protocol without ports has one entry.
struct PortActions: Hashable {
    struct Part: Hashable {
        var ports: ClosedRange<UInt16>
        let action: PolicyAction
    }

    let parts: [Part]

    init(_ verdicts: [PacketVerdict]) {
        parts = verdicts.reduce(into: []) { parts, verdict in
            if let last = parts.last, last.action == verdict.verdict.action {
                parts[parts.count - 1].ports = last.ports.lowerBound...verdict.ports.upperBound
            } else {
                parts.append(Part(ports: verdict.ports, action: verdict.verdict.action))
            }
        }
    }

    /// What happens at every port, if it is the same.
    var uniform: PolicyAction? { parts.count == 1 ? parts.first?.action : nil }

    /// What happens in most parts.
    var base: PolicyAction {
        var uses: [PolicyAction: Int] = [:]
        for part in parts { uses[part.action, default: 0] += 1 }
        // Of two that are as frequent the one that comes last, so that the text follows from the content.
        return parts.max { uses[$0.action, default: 0] <= uses[$1.action, default: 0] }?.action ?? .allow
    }
}

/// What happens to the packets of a container in one direction and by one protocol, depending on the other end's address.
struct Judgement: Hashable {
    struct Part: Hashable {
        let first: IPAddress
        var last: IPAddress
        let actions: PortActions
    }

    /// Ascending, disjoint; where there is none, ``base`` holds.
    let parts: [Part]
    let base: PortActions

    /// - Parameter parts: ascending, disjoint, and together the whole address space.
    init?(covering parts: some Sequence<Part>) {
        let merged: [Part] = parts.reduce(into: []) { merged, part in
            if let last = merged.last, last.actions == part.actions {
                merged[merged.count - 1].last = part.last
            } else {
                merged.append(part)
            }
        }
        var uses: [PortActions: Int] = [:]
        for part in merged { uses[part.actions, default: 0] += 1 }
        // Of those that are as frequent the first, so that the text follows from the content.
        guard let base = merged.max(by: { uses[$0.actions, default: 0] < uses[$1.actions, default: 0] })?.actions else {
            return nil
        }
        self.base = base
        self.parts = merged.filter { $0.actions != base }
    }
}

extension PolicyProtocol {
    /// As chains and maps are named after it.
    var word: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        case .icmp: "icmp"
        case .other: "other"
        }
    }
}
