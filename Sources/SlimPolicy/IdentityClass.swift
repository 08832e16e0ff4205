/// What a policy makes of an endpoint: computed once when a container comes, or its labels change, or the policy does.
///
/// A class of another policy is not wrong, only slow: see ``CompiledPolicy/decide(_:from:to:port:protocol:)``.
package final class IdentityClass: Sendable {
    // What every decision looks at comes first, close together.
    /// Tells policies apart, those of the same content too.
    let policy: UInt64
    let from: Senders
    let to: Receivers
    /// The isolation that decides, by direction; `nil`: not isolated.
    let isolatedIngress: Int?
    let isolatedEgress: Int?
    /// Of the entries of ``CompiledPolicy/qos`` that select the endpoint, the indices; ascending.
    let qos: [Int]
    package let endpoint: PolicyEndpoint
    /// How much the container may send and receive; unlimited for what is no container.
    package let limits: PolicyLimits

    init(
        endpoint: PolicyEndpoint, policy: UInt64, from: Senders, to: Receivers,
        isolated: (ingress: Int?, egress: Int?), limits: PolicyLimits, qos: [Int]
    ) {
        self.endpoint = endpoint
        self.policy = policy
        self.from = from
        self.to = to
        (isolatedIngress, isolatedEgress) = isolated
        self.limits = limits
        self.qos = qos
    }
}
