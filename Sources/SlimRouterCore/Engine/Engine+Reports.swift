internal import SlimAdmin
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem

/// What the operator asks, answered on the connection thread.
extension Engine {
    struct ContainerUse: Sendable {
        let programs: Int
        let listeners: Int
        let connections: Int
    }

    func countReport() -> [String: UInt64] {
        settleAll()
        return [
            "containers": UInt64(containers.count), "listeners": UInt64(listeners.count),
            "connections": UInt64(usedCount), "prepared": UInt64(waiting),
            "connectsPrepared": counters.connectsPrepared, "connectionsTotal": connections.total,
            "connectsHandedOver": counters.connectsHandedOver, "connectsByOverlay": counters.connectsByOverlay,
            "connectsRefused": counters.connectsRefused, "connectsDenied": counters.connectsDenied,
            "arrivalsDenied": counters.arrivalsDenied, "connectionsCut": counters.connectionsCut,
            "accepted": counters.accepted, "joined": counters.joined, "joinsRefused": counters.joinsRefused,
            "acceptedPlain": counters.acceptedPlain, "preamblesRejected": counters.preamblesRejected,
            "requestsRejected": counters.requestsRejected, "tagsRefused": counters.tagsRefused,
            "endsLost": counters.endsLost,
        ]
    }

    func containerUse() -> [String: ContainerUse] {
        settleAll()
        return containers.mapValues {
            ContainerUse(
                programs: $0.links.count, listeners: $0.listenerCount, connections: $0.connectionCount - $0.unused)
        }
    }

    func hostReports() -> [HostReport] {
        peers.values.sorted { $0.name < $1.name }.map { peer in
            HostReport(
                name: peer.name, address: peer.record.underlay.description,
                subnets: peer.record.subnets.map(\.description), connected: peer.isConnected && peer.isKeyAccepted,
                reason: peer.isConnected ? nil : peer.disconnectReason ?? "not connected yet",
                dataPorts: (peer.ports.v4 + peer.ports.v6).map(\.rawValue).sorted(), fastOpen: peer.fastOpenWorks)
        }
    }

    func listenerReports() -> [ListenerReport] {
        listeners.values.sorted { $0.id < $1.id }.map { listener in
            ListenerReport(
                container: listener.container.name, address: listener.endpoint.description,
                backlogParked: listener.parked.count, accepted: listener.accepted)
        }
    }

    /// A part of the live connections, with what is known of them here: the whole list would keep programs waiting.
    ///
    /// - Parameter start: of the first part 0, then what the last one ended with.
    func connectionPage(from start: UInt32) -> ConnectionPage {
        if start == 0 {
            drainEnds()
            settleAll()
        }
        var page = ConnectionPage(host: settings.host.name)
        page.next = connections.visit(from: start, atMost: 256) { cookie, connection, _ in
            if !unused.contains(cookie) { page.entries.append(entry(cookie, connection)) }
        }
        return page
    }

    /// The live connections that another policy would not allow.
    func connectionReports(deniedBy other: CompiledPolicy) -> [ConnectionReport] {
        drainEnds()
        settleAll()
        let current = policy
        policy = other
        defer { policy = current }
        var denied = ConnectionPage(host: settings.host.name)
        connections.forEach { cookie, connection in
            if !unused.contains(cookie), verdict(on: connection)?.isAllowed == false {
                denied.entries.append(entry(cookie, connection))
            }
        }
        return denied.reports()
    }

    private func entry(_ cookie: SocketCookie, _ connection: Connection) -> ConnectionPage.Entry {
        let remote = containersByAddress[connection.peer.address]?.party ?? parties[connection.peer.address]
        return ConnectionPage.Entry(
            cookie: cookie, connection: connection, container: containersByNamespace[connection.namespace]?.name,
            remoteContainer: remote?.identity.name, remoteHost: hosts.owner(of: connection.peer.address),
            allowedBy: verdict(on: connection).map { policy.name(of: $0.cause) })
    }
}
