internal import SlimRegistry
internal import SlimSystem
internal import SlimTraffic

/// A container on this host, as the connection thread knows it.
final class Container {
    let name: String
    let namespace: NamespaceCookie
    let ipv4: IPAddress?
    let ipv6: IPAddress?
    /// Who it is to policies; another one when its labels change.
    var party: Party
    /// Where its programs reach the router: the abstract socket in its network namespace.
    let door: EntrustedDescriptor
    private var isShut = false
    var doorToken: UInt64 = 0
    /// The options of new sockets in its namespace, by which changed ones are told.
    let defaults: (v4: SocketOptions, v6: SocketOptions)

    var links: [ObjectIdentifier: ApplicationLink] = [:]
    var listeners: [Port: [Listener]] = [:]
    var listenerCount = 0
    var parkedCount = 0
    /// Connections delivered to its listeners: says whose turn it is.
    var deliveries: UInt64 = 0
    var connectionCount = 0
    /// Of those, the ones that are prepared and not used.
    var unused = 0
    /// Of these, the ones that wait, and the queues in which they do.
    var waiting = 0
    var queueCount = 0
    var ports = PortPool()
    /// What its traffic is marked with.
    let trafficNumber: TrafficNumber?
    /// Before then, a further denial has to wait.
    var nextDenial: ContinuousClock.Instant?
    /// Closes what its programs have sent.
    let disposal = Disposal()

    init(_ arrangement: ContainerArrangement) {
        name = arrangement.name
        namespace = arrangement.namespace
        ipv4 = arrangement.ipv4
        ipv6 = arrangement.ipv6
        trafficNumber = TrafficNumber([arrangement.ipv4, arrangement.ipv6].compactMap { $0 })
        party = Party(
            ContainerIdentity(
                name: arrangement.name, addresses: [arrangement.ipv4, arrangement.ipv6].compactMap { $0 },
                labels: arrangement.labels))
        defaults = arrangement.defaults
        door = EntrustedDescriptor(arrangement.door.take())
    }

    deinit { shut() }

    /// Closes the door: another router, or this one, may serve the namespace then.
    func shut() {
        guard !isShut else { return }
        isShut = true
        door.close(by: disposal)
    }

    func address(_ family: IPAddress.Family) -> IPAddress? { family == .v4 ? ipv4 : ipv6 }

    func defaults(_ family: KernelAddress.Family) -> SocketOptions { family == .v4 ? defaults.v4 : defaults.v6 }

    /// The listener that a connection to an address and port reaches: the exact address before a wildcard, and among
    /// equals (SO_REUSEPORT) each in turn.
    func listener(for destination: Endpoint) -> Listener? {
        guard let candidates = listeners[destination.port] else { return nil }
        var best: Listener?
        var bestRank = 1
        for candidate in candidates {
            let rank = candidate.rank(for: destination.address)
            if rank > bestRank || rank == bestRank && candidate.lastServed < best?.lastServed ?? .max {
                best = candidate
                bestRank = rank
            }
        }
        return best
    }
}
