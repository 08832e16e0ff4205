/// A policy as its file says it, checked. Everything is sorted by name: the order in the file has no meaning.
package struct PolicyDocument: Hashable, Sendable {
    package let description: String?
    package let defaults: PolicyDefaults
    package let isolations: [PolicyIsolation]
    package let rules: [PolicyRule]
    package let bandwidth: [PolicyBandwidth]
    package let qos: [PolicyQoS]

    /// The version of the file format.
    package static let version = 1

    /// The policy where there is no file: everything is allowed, nothing limited.
    package static let open = PolicyDocument()

    package init(
        description: String? = nil, defaults: PolicyDefaults = PolicyDefaults(), isolations: [PolicyIsolation] = [],
        rules: [PolicyRule] = [], bandwidth: [PolicyBandwidth] = [], qos: [PolicyQoS] = []
    ) {
        self.description = description
        self.defaults = defaults
        self.isolations = isolations.sorted { $0.name < $1.name }
        self.rules = rules.sorted { $0.name < $1.name }
        self.bandwidth = bandwidth.sorted { $0.name < $1.name }
        self.qos = qos.sorted { $0.name < $1.name }
    }
}

/// What happens where neither a rule nor an isolation speaks.
package struct PolicyDefaults: Hashable, Sendable {
    package let ingress: PolicyAction
    package let egress: PolicyAction

    package init(ingress: PolicyAction = .allow, egress: PolicyAction = .allow) {
        self.ingress = ingress
        self.egress = egress
    }

    package func action(_ direction: PolicyDirection) -> PolicyAction {
        switch direction {
        case .ingress: ingress
        case .egress: egress
        }
    }
}
