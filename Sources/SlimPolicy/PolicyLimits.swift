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
        var limits = PolicyLimits()
        limits.egress = entry.egress
        limits.ingress = entry.ingress
        limits.connectionEgress = entry.connectionEgress
        limits.connectionIngress = entry.connectionIngress
        tighten(limits)
    }

    /// Takes the lower of each two.
    package mutating func tighten(_ other: PolicyLimits) {
        egress = [egress, other.egress].compactMap(\.self).min()
        ingress = [ingress, other.ingress].compactMap(\.self).min()
        connectionEgress = [connectionEgress, other.connectionEgress].compactMap(\.self).min()
        connectionIngress = [connectionIngress, other.connectionIngress].compactMap(\.self).min()
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
