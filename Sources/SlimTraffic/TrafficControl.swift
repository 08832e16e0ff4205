internal import SlimNetlink
internal import SlimPacketFilter
internal import SlimPolicy
internal import Synchronization

/// Limits and prefers the traffic of one host's containers, in the kernel.
///
/// What is laid down holds until it is replaced or removed, with or without a router. A change breaks no connection: classes
/// are changed while packets go through them.
///
///     socket or container -> device that it leaves by -- if it is limited: slim-rates, to wait there -- wire
package final class TrafficControl: Sendable {
    let kernel: TrafficKernel
    private let nftables: Nftables
    /// What is there, as far as this object made it. One change after the other.
    private let state = Mutex(State())

    private struct State {
        /// What shall hold; `nil` as long as nobody has said.
        var wanted: TrafficPlan?
        /// What does; `nil` when that has to be looked at first.
        var current: (plan: TrafficPlan, laidDown: LaidDown)?
    }

    /// Prepares to act in the calling thread's network namespace.
    package init(_ configuration: TrafficConfiguration) throws(TrafficError) {
        kernel = try TrafficKernel(configuration)
        do throws(PacketFilterError) { nftables = try Nftables() } catch {
            throw TrafficError(message: "rates: \(error)")
        }
    }

    /// Makes a plan hold in place of the one before. Blocks until the kernel has answered.
    ///
    /// - Throws: when the kernel refuses; then part of it may hold.
    package func apply(_ plan: TrafficPlan) throws(TrafficError) {
        try state.withLock { (state) throws(TrafficError) in try apply(plan, &state) }
    }

    private func apply(_ plan: TrafficPlan, _ state: inout State) throws(TrafficError) {
        let kernel = kernel
        state.wanted = plan
        let before = state.current?.plan
        var laidDown = LaidDown()
        if let known = state.current?.laidDown {
            laidDown = known
        } else {
            laidDown = try explaining { () throws(NetlinkError) in try kernel.find() }
        }
        // Should it fail half-way, the next time begins by looking at what is there.
        state.current = nil
        try explaining { () throws(NetlinkError) in try kernel.limitPorts(plan, &laidDown) }
        if plan.senders.isEmpty {
            try explaining { () throws(NetlinkError) in try kernel.remove(&laidDown) }
            try mark(plan, before)
        } else {
            try explaining { () throws(NetlinkError) in try kernel.makeClasses(plan, &laidDown) }
            try mark(plan, before)
            try explaining { () throws(NetlinkError) in try kernel.lead(plan, &laidDown) }
        }
        state.current = (plan, laidDown)
    }

    private func mark(_ plan: TrafficPlan, _ before: TrafficPlan?) throws(TrafficError) {
        guard before == nil || plan.ruleset != before?.ruleset else { return }
        let nftables = nftables
        try explaining { () throws(PacketFilterError) in try nftables.run(plan.ruleset ?? TrafficRuleset.removal) }
    }

    /// Lays down again what somebody has taken away, and looks at devices by which packets leave since the last time.
    ///
    /// - Returns: whether there was something to do.
    package func mend() throws(TrafficError) -> Bool {
        try state.withLock { (state) throws(TrafficError) in
            guard let plan = state.wanted else { return false }
            if let laidDown = state.current?.laidDown {
                if plan.isEmpty { return false }
                let kernel = kernel
                let isWhole = try explaining { () throws(NetlinkError) in try kernel.isWhole(laidDown, plan) }
                if isWhole, plan.ruleset == nil || isMarking() { return false }
            }
            state.current = nil
            try apply(plan, &state)
            return true
        }
    }

    private func isMarking() -> Bool {
        (try? nftables.run("list chain inet \(TrafficRuleset.table) \(TrafficRuleset.chain)\n")) != nil
    }

    /// Takes everything away: nobody is limited.
    package func remove() throws(TrafficError) {
        try state.withLock { (state) throws(TrafficError) in
            state.current = nil
            try apply(TrafficPlan(), &state)
        }
    }
}
