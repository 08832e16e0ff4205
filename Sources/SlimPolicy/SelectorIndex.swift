internal import SlimRegistry

/// All different selectors of a policy, and which of them an endpoint satisfies, without looking at each.
struct SelectorIndex: Sendable {
    typealias ID = Int32

    private struct Label: Hashable {
        let key: String
        let value: String
    }

    private(set) var selectors: [PolicySelector] = []
    private var ids: [PolicySelector: ID] = [:]

    private var everyone: [ID] = []
    private var containers: [ID] = []
    private var byName: [String: [ID]] = [:]
    private var byLabel: [Label: [ID]] = [:]
    private var byKey: [String: [ID]] = [:]
    /// What only says what labels a container has not: nothing to look it up by.
    private var unanchored: [ID] = []
    private var byNetwork: [Subnet: [ID]] = [:]
    private var lengths: [IPAddress.Family: [Int]] = [:]

    /// The number of a selector, the same for equal ones. Only before ``build()``.
    mutating func id(of selector: PolicySelector) -> ID {
        if let known = ids[selector] { return known }
        let id = ID(selectors.count)
        ids[selector] = id
        selectors.append(selector)
        return id
    }

    /// To be called when all selectors are in.
    mutating func build() {
        var frequency: [Label: Int] = [:]
        for case .container(let selector) in selectors {
            for label in selector.labels { for anchor in Self.anchors(label) { frequency[anchor, default: 0] += 1 } }
        }
        var known: [IPAddress.Family: Set<Int>] = [:]
        for (index, selector) in selectors.enumerated() {
            let id = ID(index)
            switch selector {
            case .any: everyone.append(id)
            case .containers: containers.append(id)
            case .network(let network):
                byNetwork[network.subnet, default: []].append(id)
                known[network.subnet.address.family, default: []].insert(network.subnet.length)
            case .container(let selector): anchor(id, selector, frequency)
            }
        }
        lengths = known.mapValues { $0.sorted() }
        ids = [:]
    }

    /// Files a selector under what is rarest of that which a container must have to satisfy it.
    private mutating func anchor(_ id: ID, _ selector: ContainerSelector, _ frequency: [Label: Int]) {
        guard selector.names.isEmpty else {
            for name in selector.names { byName[name, default: []].append(id) }
            return
        }
        let candidates = selector.labels.map(Self.anchors).filter { !$0.isEmpty }
        let cost = { (labels: [Label]) in labels.reduce(0) { $0 + (frequency[$1] ?? 0) } / labels.count }
        if let rarest = candidates.min(by: { cost($0) < cost($1) }) {
            for label in rarest { byLabel[label, default: []].append(id) }
        } else if let required = selector.labels.first(where: \.test.requiresLabel) {
            byKey[required.key, default: []].append(id)
        } else {
            unanchored.append(id)
        }
    }

    private static func anchors(_ requirement: LabelRequirement) -> [Label] {
        guard case .anyOf(let values) = requirement.test else { return [] }
        return values.map { Label(key: requirement.key, value: $0) }
    }

    /// The selectors that an endpoint satisfies, in no order, none twice.
    func matching(_ endpoint: PolicyEndpoint) -> [ID] {
        var found = everyone
        for length in lengths[endpoint.address.family] ?? [] {
            guard let subnet = Subnet(endpoint.address.masked(to: length), length: length),
                let ids = byNetwork[subnet]
            else { continue }
            found += ids.lazy.filter { id in
                guard case .network(let network) = selectors[Int(id)] else { return false }
                return network.contains(endpoint.address)
            }
        }
        guard let container = endpoint.container else { return found }
        found += containers
        collect(byName[container.name], container, &found)
        for (key, value) in container.labels {
            collect(byLabel[Label(key: key, value: value)], container, &found)
            collect(byKey[key], container, &found)
        }
        collect(unanchored, container, &found)
        return found
    }

    private func collect(_ candidates: [ID]?, _ container: PolicyEndpoint.Identity, _ found: inout [ID]) {
        for id in candidates ?? [] {
            guard case .container(let selector) = selectors[Int(id)], selector.isSatisfied(by: container) else {
                continue
            }
            found.append(id)
        }
    }
}

extension ContainerSelector {
    func isSatisfied(by container: PolicyEndpoint.Identity) -> Bool {
        (names.isEmpty || names.holds(container.name))
            && labels.allSatisfy { $0.test.holds(container.labels[$0.key]) }
    }
}

extension LabelRequirement.Test {
    /// - Parameter value: `nil` when there is no such label.
    func holds(_ value: String?) -> Bool {
        switch (self, value) {
        case (.anyOf(let values), let value?): values.holds(value)
        case (.noneOf(let values, _), let value?): !values.holds(value)
        case (.noneOf(_, let isRequired), nil): !isRequired
        case (.exists, let value): value != nil
        case (.absent, let value): value == nil
        case (.anyOf, nil): false
        }
    }

    /// Whether only containers with the label can satisfy it.
    var requiresLabel: Bool {
        switch self {
        case .anyOf, .exists, .noneOf(_, isRequired: true): true
        case .noneOf, .absent: false
        }
    }
}

extension [String] {
    /// Whether a sorted list holds a text.
    fileprivate func holds(_ text: String) -> Bool {
        if count <= 8 { return contains(text) }
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < text { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == text
    }
}
