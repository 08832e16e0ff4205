import Glibc
import SlimNetlink
import SlimOverlay
import SlimPolicy
import SlimRegistry
import SlimSystem
import SystemPackage

@testable import SlimPacketFilter

/// A ``HostPair`` with containers, and a packet filter on each host.
struct FilteredPair {
    let pair: HostPair
    let a1: PacketProbe
    let a2: PacketProbe
    let b1: PacketProbe
    /// The first host itself, by the address that is its containers' gateway.
    let gateway: PacketProbe
    let filterA: PacketFilter
    let filterB: PacketFilter

    private static let labels = [
        "a1": ["app": "web", "tier": "front"], "a2": ["app": "db"], "b1": ["app": "web", "zone": "b"],
    ]

    init(ports: [UInt16]) throws {
        let pair = try HostPair()
        try pair.establish()
        self.pair = pair
        func container(_ name: String, host: Int, _ number: Int) throws -> PacketProbe {
            let namespace = try TestNamespace()
            let addresses = HostPair.addresses(host: host, container: number)
            let overlay = host == 1 ? pair.a : pair.b
            try overlay.attach(namespace: namespace.handle, container: name, addresses: addresses)
            return try PacketProbe(name, namespace, addresses, ports: ports)
        }
        a1 = try container("a1", host: 1, 2)
        a2 = try container("a2", host: 1, 3)
        b1 = try container("b1", host: 2, 2)
        gateway = try PacketProbe("gateway", pair.hostA, HostPair.addresses(host: 1, container: 1), ports: ports)
        filterA = try pair.hostA.run { try PacketFilter() }
        filterB = try pair.hostB.run { try PacketFilter() }
    }

    var probes: [PacketProbe] { [a1, a2, b1, gateway] }

    func rulesA(_ policy: CompiledPolicy) -> PacketRules {
        packetRules(
            policy, containers: [("a1", Self.labels["a1"] ?? [:], [2]), ("a2", Self.labels["a2"] ?? [:], [3])],
            others: [("b1", Self.labels["b1"] ?? [:], 2, [2])])
    }

    func apply(_ policy: CompiledPolicy) throws {
        try filterA.apply(rulesA(policy))
        try filterB.apply(
            packetRules(
                policy, host: 2, containers: [("b1", Self.labels["b1"] ?? [:], [2])],
                others: [("a1", Self.labels["a1"] ?? [:], 1, [2]), ("a2", Self.labels["a2"] ?? [:], 1, [3])]))
    }

    // MARK: Decisions

    private func endpoint(_ probe: PacketProbe, _ index: Int) -> PolicyEndpoint {
        guard let labels = Self.labels[probe.name] else { return PolicyEndpoint(outside: probe.addresses[index]) }
        return PolicyEndpoint(name: probe.name, labels: labels, address: probe.addresses[index])
    }

    /// What must become of a packet: the sender's end is asked first. A host may talk to its own containers.
    private func expected(
        _ policy: CompiledPolicy, _ from: PacketProbe, _ to: PacketProbe, _ index: Int, _ port: UInt16,
        _ transport: PolicyProtocol
    ) -> PolicyAction {
        var directions: [PolicyDirection] = []
        if from !== gateway { directions.append(.egress) }
        if to !== gateway, from !== gateway || to === b1 { directions.append(.ingress) }
        for direction in directions {
            let verdict = policy.decide(
                direction, from: endpoint(from, index), to: endpoint(to, index), port: Port(port), protocol: transport)
            if !verdict.isAllowed { return verdict.action }
        }
        return .allow
    }

    /// Tries every flow there is and tells those that went otherwise than a policy says.
    func mismatches(with policy: CompiledPolicy) throws -> [String] {
        struct Trial {
            let name: String
            let attempt: Attempt
            let target: Endpoint
            let to: PacketProbe
            let expected: PolicyAction
        }
        for probe in probes { probe.clear() }
        var trials: [Trial] = []
        defer { for trial in trials { trial.attempt.end() } }
        for from in probes {
            for to in probes where to !== from {
                for index in 0...1 {
                    for (transport, ports) in [(PolicyProtocol.tcp, from.ports), (.udp, from.ports), (.icmp, [0])] {
                        for port in ports {
                            let target = Endpoint(to.addresses[index], Port(port))
                            let name = "\(transport) \(from.name) to \(to.name) \(target)"
                            let attempt = try from.begin(
                                transport, from: from.addresses[index], to: target, text: name)
                            trials.append(
                                Trial(
                                    name: name, attempt: attempt, target: target, to: to,
                                    expected: expected(policy, from, to, index, port, transport)))
                        }
                    }
                }
            }
        }
        var arrived: Set<String> = []
        var refused: Set<String> = []
        func look() {
            for trial in trials where !arrived.contains(trial.name) && !refused.contains(trial.name) {
                switch trial.attempt.transport {
                case .tcp:
                    switch trial.attempt.connection {
                    case nil: break
                    case 0: arrived.insert(trial.name)
                    case .some: refused.insert(trial.name)
                    }
                case .udp: arrived.formUnion(trial.to.received(at: trial.target))
                case .icmp, .other: if trial.attempt.isAnswered { arrived.insert(trial.name) }
                }
            }
        }
        let isDone = eventually {
            look()
            return trials.allSatisfy { trial in
                switch trial.expected {
                case .allow: arrived.contains(trial.name)
                case .deny(.reject): trial.attempt.transport != .tcp || refused.contains(trial.name)
                case .deny(.drop): true
                }
            }
        }
        if isDone {
            // What must not arrive would not be later than what did.
            usleep(50_000)
            look()
        }
        return trials.compactMap { trial in
            let isRefused = refused.contains(trial.name)
            let isRight =
                switch trial.expected {
                case .allow: arrived.contains(trial.name)
                case .deny(let mode):
                    !arrived.contains(trial.name)
                        && (trial.attempt.transport != .tcp || isRefused == (mode == .reject))
                }
            if isRight { return nil }
            return "\(trial.name): \(trial.expected), but arrived \(arrived.contains(trial.name)), refused \(isRefused)"
        }
    }

    // MARK: Streams

    /// A TCP connection over the packet overlay.
    func stream(from: PacketProbe, to: PacketProbe, _ index: Int, port: UInt16) throws -> EchoStream {
        let target = Endpoint(to.addresses[index], Port(port))
        let attempt = try from.begin(.tcp, from: from.addresses[index], to: target, text: "")
        let server = try to.accepted(at: target)
        return EchoStream(client: attempt.socket, server: server)
    }
}

/// Both ends of a connection: what is sent by one must come out of the other.
struct EchoStream {
    let client: CInt
    let server: CInt

    /// The server says something unasked.
    func push(_ text: String) { _ = send(server, text, text.utf8.count, CInt(MSG_NOSIGNAL)) }

    /// Whether so many messages go there and back.
    ///
    /// - Parameter pushed: what the client must find before them.
    func echoes(_ count: Int, after pushed: String = "") -> Bool {
        for number in 0..<count {
            let message = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &+ number) }
            guard say(message, from: client), hear(message, at: server, from: client), say(message, from: server),
                hear((number == 0 ? Array(pushed.utf8) : []) + message, at: client, from: server)
            else { return false }
        }
        return true
    }

    private func say(_ message: [UInt8], from: CInt) -> Bool {
        send(from, message, message.count, CInt(MSG_NOSIGNAL)) == message.count
    }

    private func hear(_ message: [UInt8], at: CInt, from: CInt) -> Bool {
        var got: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while got.count < message.count {
            var descriptors = [
                pollfd(fd: at, events: Int16(POLLIN), revents: 0), pollfd(fd: from, events: 0, revents: 0),
            ]
            guard poll(&descriptors, 2, 10_000) > 0 else { return false }
            let count = recv(at, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            if count > 0 { got += buffer[..<count] } else if count == 0 || descriptors[1].revents != 0 { return false }
        }
        return got == message
    }

    /// Why the client's end is dead; zero: it is not.
    var clientError: CInt {
        var error: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length)
        return error
    }

    func end() {
        close(client)
        close(server)
    }
}
