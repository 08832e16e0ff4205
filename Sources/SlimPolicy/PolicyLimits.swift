/// All limits of one container together: of several that speak about it, the lowest.
package struct PolicyLimits: Hashable, Sendable {
    package var egress: RateLimit?
    package var ingress: RateLimit?
    /// For each connection, what the container sends.
    package var connectionEgress: BitRate?
    /// For each connection, what the container receives.
    package var connectionIngress: BitRate?

    package static let unlimited = PolicyLimits()

    init() {}

    mutating func tighten(_ entry: PolicyBandwidth) {
        egress = [egress, entry.egress].compactMap(\.self).min()
        ingress = [ingress, entry.ingress].compactMap(\.self).min()
        connectionEgress = [connectionEgress, entry.connectionEgress].compactMap(\.self).min()
        connectionIngress = [connectionIngress, entry.connectionIngress].compactMap(\.self).min()
    }
}

extension RateLimit: Comparable {
    /// By ceiling, then rate, then burst.
    package static func < (a: RateLimit, b: RateLimit) -> Bool {
        (a.ceiling, a.rate, a.burstBytes ?? .max) < (b.ceiling, b.rate, b.burstBytes ?? .max)
    }
}

/// How the packets of one connection are treated.
package struct PolicyTreatment: Hashable, Sendable {
    package var priority: TrafficPriority?
    package var dscp: DSCP?

    package static let normal = PolicyTreatment()
}
