package import SlimRegistry
internal import Synchronization

/// A policy made to be asked: immutable, to be swapped as a whole.
///
/// Whoever asks resolves each endpoint once (``identityClass(of:)``) and then asks by classes: a decision allocates nothing
/// and depends neither on how many rules nor on how many endpoints there are.
package final class CompiledPolicy: Sendable {
    package let document: PolicyDocument
    /// Follows from what the policy says: equal for equal policies, whatever the order in their files.
    package let generation: UInt64
    /// The generation as people see it: 16 hexadecimal digits.
    package var generationText: String {
        let digits = String(generation, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
    let table: RuleTable
    let selectors: SelectorIndex
    private let isolations: SelectedParts
    private let bandwidth: SelectedParts
    private let qosParts: SelectedParts
    /// Sorted by what decides first: priority, then name.
    let qos: [PolicyQoS]
    /// Tells policies of one process apart, those of the same content too.
    package let serial: UInt64

    private static let serials = Atomic<UInt64>(0)

    package init(_ document: PolicyDocument) {
        self.document = document
        var selectors = SelectorIndex()
        table = RuleTable(document.rules, &selectors)
        qos = document.qos.sorted { ($0.priority ?? .normal, $0.name) < ($1.priority ?? .normal, $1.name) }
        isolations = SelectedParts(document.isolations.map(\.select), &selectors)
        bandwidth = SelectedParts(document.bandwidth.map(\.select), &selectors)
        qosParts = SelectedParts(qos.map(\.select), &selectors)
        selectors.build()
        self.selectors = selectors
        generation = document.fingerprint
        serial = Self.serials.add(1, ordering: .relaxed).newValue
    }

    /// Every rule; ``PolicyVerdict/Cause/rule(_:)`` is an index into this.
    package var rules: [PolicyRule] { table.rules }

    // MARK: Classes

    /// What the policy makes of an endpoint.
    package func identityClass(of endpoint: PolicyEndpoint) -> IdentityClass {
        let matching = selectors.matching(endpoint)
        let isContainer = endpoint.container != nil
        let isolating = isContainer ? isolations.parts(matching) : []
        var limits = PolicyLimits()
        if isContainer { for part in bandwidth.parts(matching) { limits.tighten(document.bandwidth[part]) } }
        return IdentityClass(
            endpoint: endpoint, policy: serial, from: table.senders(matching), to: table.receivers(matching),
            isolated: (isolation(.ingress, isolating), isolation(.egress, isolating)), limits: limits,
            qos: isContainer ? qosParts.parts(matching) : [])
    }

    /// Of several isolations one that drops decides, then the first by name.
    private func isolation(_ direction: PolicyDirection, _ parts: [Int]) -> Int? {
        let speaking = parts.filter { document.isolations[$0].direction.contains(direction) }
        return speaking.first { document.isolations[$0].mode == .drop } ?? speaking.first
    }

    /// The class itself when it is of this policy, else the one that this policy makes of its endpoint.
    func own(_ identity: IdentityClass) -> IdentityClass {
        identity.policy == serial ? identity : identityClass(of: identity.endpoint)
    }

    // MARK: Decisions

    /// What one end says: deny beats allow beats the default.
    ///
    /// - Parameters:
    ///   - from: who connects or sends.
    ///   - port: of the end that is connected to; of no meaning where the protocol has none.
    package func decide(
        _ direction: PolicyDirection, from: IdentityClass, to: IdentityClass, port: Port, protocol: PolicyProtocol
    ) -> PolicyVerdict {
        guard from.policy == serial, to.policy == serial else {
            return decide(direction, from: own(from), to: own(to), port: port, protocol: `protocol`)
        }
        let rank = table.deciding(direction, from.from, to.to, port.rawValue, `protocol`)
        return verdict(direction, rank: rank, from: from, to: to)
    }

    /// What the client's router says about a connection of its container.
    package func egress(
        from: IdentityClass, to: IdentityClass, port: Port, protocol: PolicyProtocol = .tcp
    ) -> PolicyVerdict {
        decide(.egress, from: from, to: to, port: port, protocol: `protocol`)
    }

    /// What the server's router says about a connection to its container.
    package func ingress(
        from: IdentityClass, to: IdentityClass, port: Port, protocol: PolicyProtocol = .tcp
    ) -> PolicyVerdict {
        decide(.ingress, from: from, to: to, port: port, protocol: `protocol`)
    }

    /// As above, for whoever asks but once.
    package func decide(
        _ direction: PolicyDirection, from: PolicyEndpoint, to: PolicyEndpoint, port: Port, protocol: PolicyProtocol
    ) -> PolicyVerdict {
        decide(
            direction, from: identityClass(of: from), to: identityClass(of: to), port: port, protocol: `protocol`)
    }

    func verdict(
        _ direction: PolicyDirection, rank: Int32, from: IdentityClass, to: IdentityClass
    ) -> PolicyVerdict {
        if rank != PortTable.none {
            return PolicyVerdict(action: table.action(ofRank: rank), cause: .rule(Int(rank)))
        }
        let isolation = direction == .ingress ? to.isolatedIngress : from.isolatedEgress
        if let isolation {
            return PolicyVerdict(action: .deny(document.isolations[isolation].mode), cause: .isolation(isolation))
        }
        return PolicyVerdict(action: document.defaults.action(direction), cause: .defaultAction)
    }

    /// How a message names what decided: `rule web-to-api`, `isolation db`, `default`.
    package func name(of cause: PolicyVerdict.Cause) -> String {
        switch cause {
        case .rule(let index): "rule \(rules[index].name)"
        case .isolation(let index): "isolation \(document.isolations[index].name)"
        case .defaultAction: "default"
        }
    }

    // MARK: Rates and priorities

    /// How the packets of a connection are treated, at both of its ends and in both directions.
    package func treatment(
        from: IdentityClass, to: IdentityClass, port: Port, protocol: PolicyProtocol = .tcp
    ) -> PolicyTreatment {
        let (from, to) = (own(from), own(to))
        var treatment = PolicyTreatment()
        var (first, second) = (from.qos[...], to.qos[...])
        // Ascending in both: the first that says it decides.
        while treatment.priority == nil || treatment.dscp == nil,
            let part = Self.lower(first.first, second.first)
        {
            if first.first == part { first.removeFirst() }
            if second.first == part { second.removeFirst() }
            let entry = qos[part]
            guard entry.protocols.contains(`protocol`, withPorts: !entry.ports.isEmpty),
                !`protocol`.hasPorts || entry.ports.covers(port)
            else { continue }
            treatment.priority = treatment.priority ?? entry.priority
            treatment.dscp = treatment.dscp ?? entry.dscp
        }
        return treatment
    }

    private static func lower(_ a: Int?, _ b: Int?) -> Int? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }

    /// Whether any connection is treated other than normally.
    package var hasTreatments: Bool { !qos.isEmpty }
}

/// Parts of a policy that select endpoints, and which of them speak about one.
private struct SelectedParts: Sendable {
    private var partsOfSelector: [SelectorIndex.ID: [Int]] = [:]

    init(_ selections: [[PolicySelector]], _ selectors: inout SelectorIndex) {
        for (part, selection) in selections.enumerated() {
            for selector in selection { partsOfSelector[selectors.id(of: selector), default: []].append(part) }
        }
    }

    /// Ascending, none twice.
    func parts(_ matching: [SelectorIndex.ID]) -> [Int] {
        if partsOfSelector.isEmpty { return [] }
        return Set(matching.flatMap { partsOfSelector[$0] ?? [] }).sorted()
    }
}
