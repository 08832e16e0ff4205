internal import SlimAdmin
internal import SlimNetlink
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
            "accepted": counters.accepted,
            "acceptedPlain": counters.acceptedPlain, "preamblesRejected": counters.preamblesRejected,
            "requestsRejected": counters.requestsRejected, "tagsRefused": counters.tagsRefused,
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

    /// - Parameter traffic: what the kernel counts, by socket.
    func connectionReports(_ traffic: [SocketCookie: SocketTraffic]) -> [ConnectionReport] {
        drainEnds()
        settleAll()
        var found: [(cookie: SocketCookie, connection: Connection)] = []
        found.reserveCapacity(connections.count)
        connections.forEach { if !unused.contains($0) { found.append(($0, $1)) } }
        return found.sorted { $0.connection.since < $1.connection.since }.map { report($0, $1, traffic[$0]) }
    }

    /// The live connections that another policy would not allow.
    func connectionReports(deniedBy other: CompiledPolicy) -> [ConnectionReport] {
        drainEnds()
        settleAll()
        let current = policy
        policy = other
        defer { policy = current }
        var denied: [(SocketCookie, Connection)] = []
        connections.forEach { if !unused.contains($0), verdict(on: $1)?.isAllowed == false { denied.append(($0, $1)) } }
        return denied.map { report($0, $1, nil) }
    }

    private func report(
        _ cookie: SocketCookie, _ connection: Connection, _ traffic: SocketTraffic?
    ) -> ConnectionReport {
        let now = wallClockSeconds()
        let remoteHost = hosts.owner(of: connection.peer.address)
        let remote = containersByAddress[connection.peer.address]?.party ?? parties[connection.peer.address]
        return ConnectionReport(
            container: containersByNamespace[connection.namespace]?.name ?? "-",
            local: connection.local.description, remote: connection.peer.description,
            remoteContainer: remote?.identity.name, peerHost: remoteHost ?? settings.host.name,
            direction: connection.direction == .outgoing ? .outgoing : .incoming,
            path: remoteHost == nil ? .sameHost : .remote, ageSeconds: now - min(now, connection.since),
            allowedBy: verdict(on: connection).map { policy.name(of: $0.cause) },
            traffic: traffic.map {
                ConnectionReport.Traffic(
                    bytesSent: $0.bytesSent, bytesReceived: $0.bytesReceived, rttMicroseconds: $0.rttMicroseconds,
                    retransmissions: $0.retransmissions)
            }, cookie: cookie.rawValue)
    }
}
