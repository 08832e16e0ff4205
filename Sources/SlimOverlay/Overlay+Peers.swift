internal import SlimNetlink
package import SlimRegistry

extension Overlay {
    /// Makes exactly these hosts reachable: adds what is missing, removes what is of others, keeps the rest.
    ///
    /// - Throws: the first failure, after everything else was done: one bad peer does not cut off the others.
    package func update(peers: [HostRecord]) throws(OverlayError) {
        try inOrder { () throws(OverlayError) in
            guard let tunnel = try existing(configuration.vxlan, kind: "vxlan", key: "overlay.vxlan")?.index else {
                throw OverlayError(
                    .notEstablished, "peers: \(configuration.vxlan) does not exist; establish the overlay first")
            }
            var failure: OverlayError?
            var wanted = PeerEntries()
            for peer in peers {
                do throws(OverlayError) { try check(peer) } catch {
                    failure = failure ?? error
                    continue
                }
                wanted.add(peer, tunnel: tunnel, configuration: configuration)
            }
            let present = try explaining("peers") { () throws(NetlinkError) in try PeerEntries(routes, tunnel: tunnel) }
            failure = apply(wanted, over: present) ?? failure
            if let failure { throw failure }
        }
    }

    private func check(_ peer: HostRecord) throws(OverlayError) {
        guard peer.underlay.family == configuration.underlay.family else {
            throw OverlayError(
                .address,
                "peer \(peer.name): address \(peer.underlay) is of another family than this host's "
                    + "\(configuration.underlay); all hosts use IPv4 or all use IPv6 in the underlay")
        }
        guard peer.underlay != configuration.underlay else {
            throw OverlayError(.address, "peer \(peer.name): address \(peer.underlay) is this host's own; correct it")
        }
        for subnet in peer.subnets {
            if let own = configuration.subnets.first(where: { $0.overlaps(subnet) }) {
                throw OverlayError(
                    .address, "peer \(peer.name): subnet \(subnet) overlaps this host's \(own); give each host its own")
            }
            let isInside = configuration.prefixes.contains { $0.contains(subnet.address) && $0.length <= subnet.length }
            guard isInside || configuration.prefixes.isEmpty else {
                throw OverlayError(
                    .address, "peer \(peer.name): subnet \(subnet) is outside overlay.prefixes; correct one of the two")
            }
        }
    }

    /// Routes go first and come last: at no time does one lead to a neighbour that is not known.
    private func apply(_ wanted: PeerEntries, over present: PeerEntries) -> OverlayError? {
        var failure: OverlayError?
        func attempt(_ body: () throws(NetlinkError) -> Void) {
            do throws(OverlayError) { try explaining("peers", body) } catch { failure = failure ?? error }
        }
        let destinations = Set(wanted.routes.map(\.destination))
        for stale in present.routes where !destinations.contains(stale.destination) {
            attempt { () throws(NetlinkError) in try routes.delete(stale) }
        }
        for missing in wanted.forwarding.subtracting(present.forwarding) {
            attempt { () throws(NetlinkError) in try routes.replace(missing) }
        }
        for missing in wanted.neighbours.subtracting(present.neighbours) {
            attempt { () throws(NetlinkError) in try routes.replace(missing) }
        }
        for missing in wanted.routes.subtracting(present.routes) {
            attempt { () throws(NetlinkError) in try routes.replace(missing) }
        }
        let addresses = Set(wanted.neighbours.map(\.address))
        for stale in present.neighbours where !addresses.contains(stale.address) {
            attempt { () throws(NetlinkError) in try routes.delete(stale) }
        }
        let macs = Set(wanted.forwarding.map(\.mac))
        for stale in present.forwarding where !macs.contains(stale.mac) {
            attempt { () throws(NetlinkError) in try routes.delete(stale) }
        }
        return failure
    }
}
