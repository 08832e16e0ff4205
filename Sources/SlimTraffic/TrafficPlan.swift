internal import SlimNetlink
package import SlimPacketFilter
package import SlimPolicy

/// How the traffic of one host's containers is to be limited and preferred. Follows from policy and containers alone.
package struct TrafficPlan: Hashable, Sendable {
    /// The device by which the packets of limited containers make a detour, to wait there.
    package static let device = "slim-rates"

    /// How much each limited container may send, by whatever way.
    package private(set) var senders: [TrafficNumber: RateLimit] = [:]
    /// What of a container goes before what else: there is a class for each.
    package private(set) var priorities: [TrafficPriority] = [.normal]
    /// How much each limited container may receive, by the bridge's port that it is behind.
    package private(set) var receivers: [String: RateLimit] = [:]
    /// Commands of nftables that mark packets; `nil`: none are marked.
    package private(set) var ruleset: String?

    /// Limits and prefers nothing.
    package init() {}

    /// - Parameters:
    ///   - containers: of this host.
    ///   - others: of the other hosts: a connection with them may be preferred.
    package init(
        _ policy: CompiledPolicy, _ containers: [LocalContainer], others: [PolicyContainer], bridge: String
    ) {
        guard !policy.document.bandwidth.isEmpty || policy.hasTreatments else { return }
        var limits: [(container: LocalContainer, limits: PolicyLimits)] = []
        for container in containers {
            let own = policy.limits(of: container.container)
            limits.append((container, own))
            receivers[container.port] = own.ingress
            guard let egress = own.egress, let number = TrafficNumber(container.container.addresses) else { continue }
            senders[number] = [senders[number], egress].compactMap(\.self).min()
        }
        priorities = Set(policy.treatments.compactMap(\.priority) + [.normal]).sorted()
        ruleset = TrafficRuleset(policy, limits, others, bridge: bridge).text
    }

    package var isEmpty: Bool { senders.isEmpty && receivers.isEmpty && ruleset == nil }

    /// The classes of ``device``, parents before children.
    ///
    /// - Parameter link: what the host's network device can send, in bytes a second; `nil` where that is not known.
    func classes(link: UInt64?) -> [RateClass] {
        // Those that have more than their rate share somewhat less than there is: else it is the device that shares it out.
        let all = link.map { $0 - $0 / 20 } ?? Self.roomBytesPerSecond
        let root = RateClass(
            TrafficClasses.all, parent: TrafficClasses.queue, bytesPerSecond: all, ceilingBytesPerSecond: all,
            burstBytes: UInt32(clamping: all / 200))
        return [root]
            + senders.sorted { $0.key < $1.key }.flatMap { number, limit in classes(of: number, limit) }
    }

    /// More than there is.
    private static let roomBytesPerSecond: UInt64 = 125_000_000_000

    /// A container's class, and below it one for each way and priority. Those have little of their own, so that nothing starves: they
    /// take what the container has, the first before the last.
    private func classes(of number: TrafficNumber, _ limit: RateLimit) -> [RateClass] {
        let own = TrafficClasses.container(number)
        let rate = TrafficClasses.bytesPerSecond(limit.rate)
        let ceiling = TrafficClasses.bytesPerSecond(limit.ceiling)
        let burst = TrafficClasses.burst(limit)
        let parent = RateClass(
            own, parent: TrafficClasses.all, bytesPerSecond: rate, ceilingBytesPerSecond: ceiling, burstBytes: burst)
        return [parent]
            + priorities.flatMap { priority in
                TrafficMark.Way.allCases.map { way in
                    RateClass(
                        TrafficClasses.leaf(way, number, priority), parent: own, bytesPerSecond: max(125, rate / 32),
                        ceilingBytesPerSecond: ceiling, burstBytes: burst, priority: priority.rawValue)
                }
            }
    }
}
