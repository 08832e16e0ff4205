internal import Logging
package import SlimAdmin
internal import SlimControl
package import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// A connection thread with simulated endpoints: the router's own tables, and what it does with them, without a socket for
/// each entry. It shows how they grow.
///
/// Used by one thread at a time; no event is ever waited for.
package final class SimulatedRouter {
    private let engine: Engine
    private let capacity: Int
    private var containers: [Container] = []
    private var listeners: [Listener] = []
    private var hosts = 0
    private var containersPerHost = 1
    private let labels: (Int) -> [String: String]
    private let options: SocketOptions

    /// - Parameters:
    ///   - directory: an empty one, for the files that a router keeps.
    ///   - connections: as many as there may be.
    ///   - labels: of each container, here and elsewhere.
    package init(directory: String, connections: Int, labels: @escaping (Int) -> [String: String]) throws {
        capacity = connections
        self.labels = labels
        // Shared with the thread that serves it, and with nobody after that has started.
        nonisolated(unsafe) let keeper = try Keeper(path: directory + "/keeper.sock")
        try startThread(named: "slim-keeper") { try? keeper.run() }
        let own = try Self.record("h", IPAddress(v4: (172, 31, 255, 1)), IPAddress(v4: (10, 255, 0, 0)), length: 16)
        engine = try Engine(
            settings: Engine.Settings(
                host: own, directory: directory, prefixes: [], dataPorts: [], socketsPerContainer: 1024,
                listenersPerContainer: connections, parkedPerContainer: 4096, preparedPerContainer: 256,
                connections: connections),
            security: .off, keeper: try KeeperLink(directory: directory), kept: KeptState(), flight: try Flight(),
            mailbox: try Mailbox(),
            logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }, send: { _, _ in true },
            partiesChanged: {}, guardFailed: { _ in })
        let socket = try StreamSocket.open(.v4, nonblocking: true)
        options = SocketOptions(of: socket.raw, family: .v4)
    }

    private static func record(
        _ name: String, _ underlay: IPAddress, _ subnet: IPAddress, length: Int
    ) throws -> HostRecord {
        guard let subnet = Subnet(subnet, length: length) else { throw RouterError("\(subnet)/\(length) is no subnet") }
        return HostRecord(name: name, underlay: underlay, subnets: [subnet])
    }

    // MARK: The cluster

    /// Has containers on this host.
    package func attach(_ count: Int) throws {
        for number in 0..<count {
            try engine.add(try ContainerArrangement(simulated: number, labels: labels(number), options: options))
        }
        containers = (0..<count).compactMap { engine.containers["c\($0)"] }
    }

    /// Has other hosts in the registry, which are not connected yet.
    package func register(hosts count: Int) throws {
        engine.update(
            hosts: try (0..<count).map { host in
                try Self.record(
                    "h\(host)", IPAddress(v4Bits: 0xac10_0000 + UInt32(host)), Self.subnet(host), length: 24)
            })
    }

    /// Another router connects: keys are exchanged, and it tells of its containers.
    package func connect(host: Int, containers count: Int) {
        let name = "h\(host)"
        engine.handle(.connected(peer: name))
        let secret = [UInt8](repeating: 7, count: PreambleKey.secretBytes)
        engine.handle(
            .message(.key(PreambleKey(id: UInt64(host) + 1, secret: secret, dataPorts: [], voids: true)), peer: name))
        if let id = engine.peers[name]?.keyID { engine.handle(.message(.keyAccepted(id: id), peer: name)) }
        let identities = (0..<count).map { number in
            let index = host * count + number
            return ContainerIdentity(
                name: "c\(index)", addresses: [Self.address(host, number)], labels: labels(index))
        }
        engine.handle(.message(.containers(ContainerUpdate(.last, present: identities)), peer: name))
        hosts = max(hosts, host + 1)
        containersPerHost = count
    }

    /// A container of another host has other labels.
    package func relabel(host: Int, _ number: Int, index: Int) {
        let identity = ContainerIdentity(
            name: "c\(index)", addresses: [Self.address(host, number)], labels: labels(index + 1))
        engine.handle(.message(.containers(ContainerUpdate(.change, present: [identity])), peer: "h\(host)"))
    }

    /// A container of this host has other labels: every other host is told.
    package func relabel(_ number: Int) { _ = engine.relabel("c\(number)", labels(number + 1)) }

    /// What happens ten times a second while connections are prepared.
    package func tick() {
        engine.preparedDue = .now
        engine.tendPrepared(.now)
    }

    /// What is known of other hosts' containers, for the packet filter.
    ///
    /// - Returns: how many those are.
    package func copyKnown(part: Part) -> Int {
        var names: [String] = []
        part { names = Array(engine.peers.keys) }
        var count = 0
        for start in stride(from: 0, to: names.count, by: Engine.hostsInPart) {
            let some = names[start..<min(start + Engine.hostsInPart, names.count)]
            part { count += engine.knownHosts(some).map(\.containers.count).reduce(0, +) }
        }
        return count
    }

    /// - Returns: whether the owner of one of its addresses is known.
    package func find(host: Int) -> Bool { engine.hosts.owner(of: Self.address(host, 0)) != nil }

    private static func subnet(_ host: Int) -> IPAddress { IPAddress(v4Bits: 0x0a00_0000 | UInt32(host) << 8) }

    private static func address(_ host: Int, _ number: Int) -> IPAddress {
        IPAddress(v4Bits: 0x0a00_0000 | UInt32(host) << 8 | UInt32(number + 2))
    }

    // MARK: Listeners

    /// One more listener of a container here.
    package func listen(_ number: Int) {
        let container = containers[number % containers.count]
        let port = Port(UInt16(truncatingIfNeeded: 1024 + number / containers.count))
        let listener = Listener(
            id: UInt64(number) + 1, container: container, endpoint: Endpoint(.anyV4, port), family: .v4,
            isV6Only: false, original: OwnedDescriptor(-1), channel: OwnedDescriptor(-1),
            programEnd: SocketCookie(rawValue: 1 << 40 | UInt64(number)), options: options)
        engine.enter(listener)
        listeners.append(listener)
    }

    /// Another router asks whether it is there.
    package func ask(listener number: Int, from host: Int) {
        let container = containers[number % containers.count]
        let port = Port(UInt16(truncatingIfNeeded: 1024 + number / containers.count))
        guard let address = container.ipv4 else { return }
        let query = ResolveQuery(
            id: UInt64(number), source: Self.address(host, 0), destination: Endpoint(address, port))
        engine.handle(.message(.resolve(query), peer: "h\(host)"))
    }

    /// - Returns: whether it is found by its address.
    package func find(listener number: Int) -> Bool {
        let container = containers[number % containers.count]
        let port = Port(UInt16(truncatingIfNeeded: 1024 + number / containers.count))
        guard let address = container.ipv4, let found = engine.containersByAddress[address] else { return false }
        return found.listener(for: Endpoint(address, port)) != nil
    }

    package func close(listener number: Int) { engine.close(listeners[number]) }

    // MARK: Connections

    private func contact(_ number: Int) -> Contact {
        let container = containers[number % containers.count]
        // Each container here talks to others elsewhere than its neighbours do.
        let turn = number / containers.count * 101 + number % containers.count * 7919
        let other = turn % (hosts * containersPerHost)
        let address = Self.address(other / containersPerHost, other % containersPerHost)
        return Contact(
            source: container.ipv4 ?? .anyV4, destination: Endpoint(address, Port(UInt16(8000 + other % 50))))
    }

    private func cookie(_ number: Int) -> SocketCookie { SocketCookie(rawValue: UInt64(number) + 1) }

    /// A peer has answered that somebody listens there.
    package func resolve(_ number: Int) {
        let contact = contact(number)
        guard let owner = engine.hosts.owner(of: contact.destination.address), let peer = engine.peers[owner] else {
            return
        }
        peer.resolutions.insert(
            ResolveAnswer(id: UInt64(number), verdict: .listening, cacheable: true), for: contact)
    }

    /// Everything that a connect looks up: policy, host, what its router has said.
    package func route(_ number: Int) -> Bool {
        let contact = contact(number)
        guard engine.denial(contact) == nil, let owner = engine.hosts.owner(of: contact.destination.address),
            let peer = engine.peers[owner], peer.isConnected
        else { return false }
        return peer.resolutions[contact]?.verdict == .listening
    }

    /// - Returns: whether the policy allows it.
    package func decide(_ number: Int) -> Bool { engine.denial(contact(number)) == nil }

    /// Enters a connection as one that was handed over.
    package func connect(_ number: Int) {
        let container = containers[number % containers.count]
        let contact = contact(number)
        let connection = Connection(
            namespace: container.namespace, direction: .outgoing,
            local: Endpoint(contact.source, container.ports.take()), peer: contact.destination, isPortPooled: true,
            since: wallClockSeconds())
        engine.enter(connection, cookie(number), of: container)
    }

    /// - Returns: whether it is known by its socket.
    package func find(connection number: Int) -> Bool { engine.connections[cookie(number)] != nil }

    /// The kernel has told its end.
    package func end(connection number: Int) { engine.forget(cookie(number)) }

    package var connectionCount: Int { engine.connections.count }

    // MARK: The whole

    /// Runs what keeps the connection thread from everything else as long as it takes.
    package typealias Part = (() -> Void) -> Void

    /// What `slimctl connections` is answered from.
    package func list(part: Part) -> [ConnectionReport] {
        var reports: [ConnectionReport] = []
        var next: UInt32? = 0
        while let start = next {
            var page = ConnectionPage(host: "")
            part { page = engine.connectionPage(from: start) }
            reports += page.reports()
            next = page.next
        }
        return reports
    }

    /// Takes a policy into force and judges all connections by it.
    package func adopt(_ policy: CompiledPolicy, part: Part) {
        part { engine.adopt(policy) { _, _ in } }
        while engine.review != nil { part { engine.continueReview() } }
    }

    /// A list of the kernel's sockets has come, after ends were lost: all of them are there still.
    package func resynchronise(part: Part) {
        var live: Set<SocketCookie> = []
        engine.connections.forEach { cookie, _ in live.insert(cookie) }
        engine.connections.beginAge()
        var next: UInt32? = 0
        while let start = next { part { next = engine.forgetEnded(live, from: start) } }
    }

    /// What the next router does with the table that this one leaves.
    ///
    /// - Returns: how many connections it has found.
    package func reopen() throws -> Int {
        let table = try ConnectionTable(path: engine.settings.directory + "/connections", capacity: capacity)
        var pools = [PortPool](repeating: PortPool(), count: containers.count)
        var numbers: [NamespaceCookie: Int] = [:]
        for (number, container) in containers.enumerated() { numbers[container.namespace] = number }
        table.forEach { _, connection in
            if let number = numbers[connection.namespace] { pools[number].claim(connection.local.port) }
        }
        return table.count
    }
}

extension ContainerArrangement {
    /// A container without a namespace: its programs' door is a socket that nobody knows.
    fileprivate init(simulated number: Int, labels: [String: String], options: SocketOptions) throws {
        name = "c\(number)"
        namespace = NamespaceCookie(rawValue: UInt64(number) + 1)
        ipv4 = IPAddress(v4Bits: 0x0aff_0000 + UInt32(number) + 2)
        ipv6 = nil
        self.labels = labels
        defaults = (options, options)
        door = Handover(try StreamSocket.open(.v4, nonblocking: true))
    }
}
