internal import SlimJSON
internal import SlimRegistry

extension PolicySelector {
    enum Key: String, CodingKey, CaseIterable { case labels, container, cidr, except }

    /// The selectors that are a word.
    enum Word: String, CaseIterable { case any, containers }

    init(_ value: JSONValue) throws(ConfigurationError) {
        if case .string(let text) = value.node {
            switch Word(rawValue: text) {
            case .any: self = .any
            case .containers: self = .containers
            case nil:
                throw value.error(
                    "\(quoted(text)) is not a selector",
                    "write \"any\", \"containers\", or an object with labels, container or cidr")
            }
            return
        }
        let object = try JSONObject(value, keys: Key.self)
        if let cidr = object.optional(.cidr) {
            for key in [Key.labels, .container] {
                if let other = object.optional(key) {
                    throw other.error("stands beside a cidr", "write two selectors: [{...}, {...}]")
                }
            }
            self = .network(try NetworkSelector(cidr, except: object.optional(.except)))
            return
        }
        if let except = object.optional(.except) { throw except.error("stands without a cidr", "add the cidr") }
        let names = try object.optional(.container)?.containerNames() ?? []
        let labels = try object.optional(.labels)?.labelRequirements() ?? []
        guard !names.isEmpty || !labels.isEmpty else {
            throw value.error(
                "is an empty selector", "write \"any\" for everyone, or \"containers\" for every container")
        }
        self = .container(ContainerSelector(names: names, labels: labels))
    }
}

extension NetworkSelector {
    fileprivate init(_ cidr: JSONValue, except: JSONValue?) throws(ConfigurationError) {
        let subnet = try cidr.subnet()
        guard let except else {
            self.init(subnet: subnet, except: [])
            return
        }
        var parts: [(subnet: Subnet, value: JSONValue)] = []
        for value in try except.array() {
            let part = try value.subnet()
            guard subnet.contains(part.address), part.length >= subnet.length else {
                throw value.error("\(part) does not lie within \(subnet)", "remove it")
            }
            parts.append((part, value))
        }
        guard !parts.isEmpty else { throw except.error("is empty", "remove the key") }
        parts.sort { $0.subnet < $1.subnet }
        for (one, other) in zip(parts, parts.dropFirst()) where one.subnet.overlaps(other.subnet) {
            throw other.value.error("\(other.subnet) overlaps \(one.subnet)", "keep the larger one")
        }
        guard !parts.map(\.subnet).cover(subnet) else {
            throw except.error("nothing of \(subnet) is left: an empty selector", "except less")
        }
        self.init(subnet: subnet, except: parts.map(\.subnet))
    }
}

extension [Subnet] {
    /// Whether sorted, disjoint parts of a network are all of it.
    fileprivate func cover(_ whole: Subnet) -> Bool {
        var merged: [Subnet] = []
        for part in self {
            var next = part
            while next.length > whole.length, let one = merged.last, one.length == next.length,
                one.address.masked(to: next.length - 1) == next.address.masked(to: next.length - 1),
                let both = Subnet(one.address, length: next.length - 1)
            {
                merged.removeLast()
                next = both
            }
            merged.append(next)
        }
        return merged == [whole]
    }
}

extension JSONValue {
    /// One selector or several, of which any one is enough; no two that overlap.
    func selectors() throws(ConfigurationError) -> [PolicySelector] {
        guard case .array = node else { return [try PolicySelector(self)] }
        var selectors: [(selector: PolicySelector, value: JSONValue)] = []
        for value in try array() { selectors.append((try PolicySelector(value), value)) }
        guard !selectors.isEmpty else {
            throw error("is an empty selector", "write \"any\" for everyone, or \"containers\" for every container")
        }
        if selectors.count > 1 { try SelectorOverlap.check(selectors) }
        // In an order that does not follow from the file's.
        return selectors.map { ($0.selector.text, $0.selector) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    fileprivate func containerNames() throws(ConfigurationError) -> [String] {
        if case .string = node { return [try containerName()] }
        var names: [String] = []
        var known: Set<String> = []
        for value in try array() {
            let name = try value.containerName()
            guard known.insert(name).inserted else {
                throw value.error("\(quoted(name)) stands in the list twice", "remove one of the two")
            }
            names.append(name)
        }
        guard !names.isEmpty else { throw error("is an empty selector", "write the name of a container") }
        return names
    }

    private func containerName() throws(ConfigurationError) -> String {
        let name = try string()
        guard PolicyText.isContainerName(name) else {
            throw error(
                "\(quoted(name)) cannot name a container",
                "write at most 63 letters, digits, '-', '_' or '.', the first a letter or digit")
        }
        return name
    }

    fileprivate func labelRequirements() throws(ConfigurationError) -> [LabelRequirement] {
        var labels: [LabelRequirement] = []
        for (key, value) in try members() {
            guard PolicyText.isLabelKey(key) else {
                throw value.error("\(quoted(key)) cannot be the key of a label", "write 1 to 63 printable bytes")
            }
            labels.append(LabelRequirement(key: key, test: try value.labelTest()))
        }
        guard !labels.isEmpty else {
            throw error("is an empty selector", "write a label, or \"containers\" in place of the object")
        }
        return labels
    }
}
