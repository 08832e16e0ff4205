package import SlimRegistry

/// A container with all its addresses.
package struct PolicyContainer: Hashable, Sendable {
    package let identity: PolicyEndpoint.Identity
    package let addresses: [IPAddress]

    package init(name: String, labels: [String: String], addresses: [IPAddress]) {
        identity = PolicyEndpoint.Identity(name: name, labels: labels)
        self.addresses = addresses
    }

    /// The container at each of its addresses.
    package var endpoints: [PolicyEndpoint] {
        addresses.map { PolicyEndpoint(name: identity.name, labels: identity.labels, address: $0) }
    }
}

/// Whom selectors mean, in addresses: what packets can be compared with.
package struct ResolvedPeers: Hashable, Sendable {
    /// Whoever it is; then the rest is empty.
    package var isEveryone = false
    /// Of containers; ascending, none twice. One may lie in one of ``networks`` too.
    package var addresses: [IPAddress] = []
    package var networks: [NetworkSelector] = []

    /// Whether there is nobody.
    package var isEmpty: Bool { !isEveryone && addresses.isEmpty && networks.isEmpty }

    package func contains(_ address: IPAddress) -> Bool {
        isEveryone || addresses.contains(address) || networks.contains { $0.contains(address) }
    }
}

/// A rule and whom it speaks about.
package struct ResolvedRule: Hashable, Sendable {
    /// An index into ``CompiledPolicy/rules``.
    package let rule: Int
    package let from: ResolvedPeers
    package let to: ResolvedPeers
}

extension CompiledPolicy {
    /// Every rule that a direction has, in the order of ``rules``: of those that speak about a packet the first decides.
    package func resolvedRules(
        _ direction: PolicyDirection, among containers: [PolicyContainer]
    ) -> [ResolvedRule] {
        let resolver = PeerResolver(selectors, containers)
        return rules.indices.lazy.filter { self.rules[$0].direction.contains(direction) }.map { index in
            let rule = self.rules[index]
            return ResolvedRule(rule: index, from: resolver.resolve(rule.from), to: resolver.resolve(rule.to))
        }
    }

    /// The addresses of the containers that each isolation of a direction speaks about, by its index.
    package func isolatedAddresses(
        _ direction: PolicyDirection, among containers: [PolicyContainer]
    ) -> [(isolation: Int, addresses: [IPAddress])] {
        var addresses: [Int: [IPAddress]] = [:]
        for endpoint in containers.flatMap(\.endpoints) {
            let identity = identityClass(of: endpoint)
            let isolation = direction == .ingress ? identity.isolatedIngress : identity.isolatedEgress
            if let isolation { addresses[isolation, default: []].append(endpoint.address) }
        }
        return addresses.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
    }
}

/// Finds the addresses of selectors: each container is looked at once, not once for each selector.
private struct PeerResolver {
    private var addresses: [PolicySelector: [IPAddress]] = [:]

    init(_ selectors: SelectorIndex, _ containers: [PolicyContainer]) {
        var byID: [SelectorIndex.ID: [IPAddress]] = [:]
        for endpoint in containers.flatMap(\.endpoints) {
            for id in selectors.matching(endpoint) { byID[id, default: []].append(endpoint.address) }
        }
        for (id, found) in byID { addresses[selectors.selectors[Int(id)]] = found }
    }

    func resolve(_ selectors: [PolicySelector]) -> ResolvedPeers {
        var peers = ResolvedPeers()
        var found: Set<IPAddress> = []
        for selector in selectors {
            switch selector {
            case .any: return ResolvedPeers(isEveryone: true)
            case .network(let network): peers.networks.append(network)
            case .containers, .container: found.formUnion(addresses[selector] ?? [])
            }
        }
        peers.addresses = found.sorted()
        return peers
    }
}
