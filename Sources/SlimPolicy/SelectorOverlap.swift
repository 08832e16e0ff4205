internal import SlimJSON
internal import SlimRegistry

/// Finds selectors of one list that say what another one says already: mostly a slip of the pen.
enum SelectorOverlap {
    typealias Entry = (selector: PolicySelector, value: JSONValue)

    static func check(_ entries: [Entry]) throws(ConfigurationError) {
        var seen: Set<PolicySelector> = []
        for entry in entries where !seen.insert(entry.selector).inserted {
            throw entry.value.error("stands in the list twice", "remove one of the two")
        }
        if seen.contains(.any), let other = entries.first(where: { $0.selector != .any }) {
            throw other.value.error("overlaps \"any\" in the same list", "remove one of the two")
        }
        if seen.contains(.containers),
            let other = entries.first(where: { if case .container = $0.selector { true } else { false } })
        {
            throw other.value.error("overlaps \"containers\" in the same list", "remove one of the two")
        }
        try checkNames(entries)
        try checkNetworks(entries)
    }

    private static func checkNames(_ entries: [Entry]) throws(ConfigurationError) {
        var names: Set<String> = []
        for case (.container(let selector), let value) in entries where selector.labels.isEmpty {
            for name in selector.names where !names.insert(name).inserted {
                throw value.error("overlaps another selector of the list: \(quoted(name))", "name it once")
            }
        }
    }

    /// Networks nest or are disjoint: going through them in order, those that hold the present one are a stack.
    private static func checkNetworks(_ entries: [Entry]) throws(ConfigurationError) {
        var networks: [(selector: NetworkSelector, value: JSONValue)] = []
        for case (.network(let selector), let value) in entries { networks.append((selector, value)) }
        networks.sort { $0.selector.subnet < $1.selector.subnet }
        var around: [NetworkSelector] = []
        for (selector, value) in networks {
            while let last = around.last, !last.subnet.contains(selector.subnet.address) { around.removeLast() }
            for outer in around {
                let hole = outer.except.covering(selector.subnet.address)
                guard let hole, hole.length <= selector.subnet.length else {
                    throw value.error(
                        "\(selector.subnet) overlaps \(outer.subnet) in the same list",
                        "except it there, or remove one of the two")
                }
            }
            around.append(selector)
        }
    }
}
