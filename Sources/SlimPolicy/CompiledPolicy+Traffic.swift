extension CompiledPolicy {
    /// How much a container may send and receive: of its addresses, what is said of any.
    package func limits(of container: PolicyContainer) -> PolicyLimits {
        container.endpoints.reduce(into: PolicyLimits()) { $0.tighten(identityClass(of: $1).limits) }
    }

    /// The entries of `qos`, in the order in which they decide.
    package var treatments: [PolicyQoS] { qos }

    /// Whether anybody's rate is limited.
    package var hasLimits: Bool { !document.bandwidth.isEmpty }

    /// Whether anybody's traffic is limited or preferred.
    package var isShaping: Bool { hasLimits || hasTreatments }
}

extension IdentityClass {
    /// The entries of ``CompiledPolicy/treatments`` that speak about the endpoint: indices, ascending.
    package var treatments: [Int] { qos }
}
