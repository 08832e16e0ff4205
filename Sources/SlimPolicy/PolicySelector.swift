package import SlimRegistry

/// Whom a part of a policy speaks about.
package enum PolicySelector: Hashable, Sendable {
    /// Everyone: containers and all else.
    case any
    /// Every container of the overlay.
    case containers
    case container(ContainerSelector)
    /// Whoever has an address in a network, container or not.
    case network(NetworkSelector)
}

/// Containers by name, by labels, or both.
package struct ContainerSelector: Hashable, Sendable {
    /// Sorted; empty: whatever its name.
    package let names: [String]
    /// Sorted by key, no key twice; all of them must hold.
    package let labels: [LabelRequirement]

    package init(names: [String], labels: [LabelRequirement]) {
        self.names = names.sorted()
        self.labels = labels.sorted { $0.key < $1.key }
    }
}

/// What one label of a container must be.
package struct LabelRequirement: Hashable, Sendable {
    package enum Test: Hashable, Sendable {
        /// Its value is one of these; sorted, never empty.
        case anyOf([String])
        /// Its value is none of these; sorted, never empty. Without the label that holds too, unless it is required.
        case noneOf([String], isRequired: Bool)
        case exists
        case absent
    }

    package let key: String
    package let test: Test

    package init(key: String, test: Test) {
        self.key = key
        self.test = test
    }
}

/// A network less some of its parts.
package struct NetworkSelector: Hashable, Sendable {
    package let subnet: Subnet
    /// Sorted, disjoint, each within the subnet and smaller.
    package let except: [Subnet]

    package init(subnet: Subnet, except: [Subnet]) {
        self.subnet = subnet
        self.except = except.sorted()
    }

    package func contains(_ address: IPAddress) -> Bool {
        subnet.contains(address) && except.covering(address) == nil
    }
}

extension [Subnet] {
    /// Of sorted, disjoint networks, the one that holds an address.
    func covering(_ address: IPAddress) -> Subnet? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && self[low - 1].contains(address) ? self[low - 1] : nil
    }
}
