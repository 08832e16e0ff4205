internal import SlimAdmin
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
        [
            "containers": UInt64(containers.count), "listeners": UInt64(listeners.count),
            "connections": UInt64(connections.count), "connectionsTotal": connections.total,
            "connectsHandedOver": counters.connectsHandedOver, "connectsByOverlay": counters.connectsByOverlay,
            "connectsRefused": counters.connectsRefused, "accepted": counters.accepted,
            "acceptedPlain": counters.acceptedPlain, "preamblesRejected": counters.preamblesRejected,
            "requestsRejected": counters.requestsRejected,
        ]
    }

    func containerUse() -> [String: ContainerUse] {
        containers.mapValues {
            ContainerUse(programs: $0.links.count, listeners: $0.listenerCount, connections: $0.connectionCount)
        }
    }

    func hostReports() -> [HostReport] {
        peers.values.sorted { $0.name < $1.name }.map { peer in
            HostReport(
                name: peer.name, address: peer.record.underlay.description,
                subnets: peer.record.subnets.map(\.description), connected: peer.isConnected && peer.isKeyAccepted,
                reason: peer.isConnected ? nil : peer.disconnectReason ?? "not connected yet",
                dataPorts: (peer.ports.v4 + peer.ports.v6).map(\.rawValue).sorted())
        }
    }

    func listenerReports() -> [ListenerReport] {
        listeners.values.sorted { $0.id < $1.id }.map { listener in
            ListenerReport(
                container: listener.container.name, address: listener.endpoint.description,
                backlogParked: listener.parked.count, accepted: listener.accepted)
        }
    }

    func connectionReports() -> [ConnectionReport] {
        drainEnds()
        let now = wallClockSeconds()
        var found: [(cookie: SocketCookie, connection: Connection)] = []
        found.reserveCapacity(connections.count)
        connections.forEach { found.append(($0, $1)) }
        return found.sorted { $0.connection.since < $1.connection.since }.map { cookie, connection in
            let remoteHost = hosts.owner(of: connection.peer.address)
            return ConnectionReport(
                container: containersByNamespace[connection.namespace]?.name ?? "-",
                local: connection.local.description,
                remote: connection.peer.description, peerHost: remoteHost ?? settings.host.name,
                direction: connection.direction == .outgoing ? .outgoing : .incoming,
                path: remoteHost == nil ? .sameHost : .remote, ageSeconds: now - min(now, connection.since),
                cookie: cookie.rawValue)
        }
    }
}
