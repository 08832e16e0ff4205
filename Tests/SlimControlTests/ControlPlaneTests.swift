import FoundationEssentials
import SlimControl
import SlimPKI
import SlimRegistry
import Testing

@Suite(.timeLimit(.minutes(1))) struct ControlPlaneTests {
    let cluster: Cluster

    init() throws { cluster = try Cluster() }

    private func pair(timings: ControlTimings = ControlTimings()) async throws -> (TestRouter, TestRouter) {
        let first = try await cluster.start("h1", peers: [cluster.record("h2")], timings: timings)
        let second = try await cluster.start("h2", peers: [cluster.record("h1")], timings: timings)
        try await first.waitForConnection(to: "h2")
        try await second.waitForConnection(to: "h1")
        return (first, second)
    }

    @Test func `two routers connect and every message arrives, in order, both ways`() async throws {
        let (first, second) = try await pair()
        let endpoint = Endpoint(IPAddress(v6High: 0xfd00_0032_0000_0001, low: 2), Port(80))
        let messages: [ControlMessage] = [
            .key(PreambleKey(id: 1, secret: Array(0..<32), dataPorts: (4800..<4808).map { Port($0) })),
            .keyAccepted(id: .max),
            .resolve(ResolveQuery(id: 3, source: IPAddress(v4: (10, 32, 1, 2)), destination: endpoint)),
            .resolved(ResolveAnswer(id: 3, verdict: .listening, cacheable: true)), .invalidate([endpoint]),
            .invalidateAll,
            .resolved(ResolveAnswer(id: 4, verdict: .denied, isSilent: true, cacheable: false)),
            .containers(
                ContainerUpdate(
                    .last,
                    present: [
                        ContainerIdentity(name: "web", addresses: [endpoint.address], labels: ["app": "\"web\""])
                    ],
                    gone: ["old"])),
            .explain(
                ExplainQuery(
                    id: 5, direction: "ingress", source: endpoint.address, destination: endpoint, transport: "udp")),
            .explained(ExplainAnswer(id: 5, verdict: "drop", reason: "rule no-web")),
        ]
        for message in messages {
            #expect(first.plane.send(message, to: "h2"))
            #expect(second.plane.send(message, to: "h1"))
        }
        try await second.wait { second.messages.count == messages.count }
        try await first.wait { first.messages.count == messages.count }
        #expect(first.messages == messages)
        #expect(second.messages == messages)
        #expect(first.events.first == .connected(peer: "h2"))
        #expect(first.connections(to: "h2") == 1)
        #expect(second.connections(to: "h1") == 1)
        await first.plane.stop()
        try await second.wait { !second.disconnections(from: "h1").isEmpty }
        #expect(second.disconnections(from: "h1") == ["it says: h1 stops"])
        await second.plane.stop()
    }

    @Test func `a list of destinations of any length arrives whole`() async throws {
        let (first, second) = try await pair()
        let destinations = (0..<3500).map { Endpoint(IPAddress(v4Bits: 0x0a20_0000 + UInt32($0)), Port(80)) }
        #expect(first.plane.send(.invalidate(destinations), to: "h2"))
        try await second.wait { second.messages.count == 4 }
        #expect(
            second.messages.flatMap { (message) -> [Endpoint] in
                if case .invalidate(let part) = message { part } else { [] }
            } == destinations)
        await first.plane.stop()
        await second.plane.stop()
    }

    @Test func `three routers form three connections, and a message reaches only its peer`() async throws {
        let names = ["h1", "h2", "h3"]
        var routers: [TestRouter] = []
        for name in names {
            routers.append(try await cluster.start(name, peers: names.filter { $0 != name }.map { cluster.record($0) }))
        }
        for (name, router) in zip(names, routers) {
            try await router.wait { router.plane.connectedPeers == Set(names).subtracting([name]) }
        }
        #expect(routers[1].plane.send(.keyAccepted(id: 5), to: "h3"))
        try await routers[2].wait { routers[2].events.contains(.message(.keyAccepted(id: 5), peer: "h2")) }
        #expect(routers[0].messages.isEmpty)
        for router in routers { await router.plane.stop() }
    }

    @Test func `a message to a peer that is not connected is not taken`() async throws {
        let router = try await cluster.start("h1", peers: [cluster.record("h2")])
        #expect(!router.plane.send(.invalidateAll, to: "h2"))
        #expect(!router.plane.send(.invalidateAll, to: "nobody"))
        try await router.wait { router.plane.failureReasons["h2"]?.contains("no router listens there") == true }
        try await router.waitForLog("cannot connect to h2 at \(cluster.address("h2")):4799")
        await router.plane.stop()
        #expect(!router.plane.send(.invalidateAll, to: "h2"))
    }

    @Test func `after a peer's restart the connection is made again`() async throws {
        let (first, second) = try await pair()
        await second.plane.stop()
        try await first.wait { first.disconnections(from: "h2").count == 1 }
        let again = try await cluster.start("h2", peers: [cluster.record("h1")])
        try await first.wait { first.connections(to: "h2") == 2 }
        try await again.waitForConnection(to: "h1")
        await first.plane.stop()
        try await again.wait { again.disconnections(from: "h1").count == 1 }
        try await first.plane.start()
        try await again.wait { again.connections(to: "h1") == 2 }
        await first.plane.stop()
        await again.plane.stop()
    }

    @Test func `who dials a router that does not know its hosts yet waits, and is not turned away`() async throws {
        let second = TestRouter(try cluster.configuration("h2"))
        try await second.plane.start()
        let first = try await cluster.start("h1", peers: [cluster.record("h2")])
        try await Task.sleep(for: .milliseconds(300))
        #expect(first.plane.failureReasons.isEmpty)
        #expect(first.plane.connectedPeers.isEmpty)
        second.plane.update(peers: [cluster.record("h1")])
        try await first.waitForConnection(to: "h2")
        await first.plane.stop()
        await second.plane.stop()
    }

    @Test func `peers that leave the registry are dropped, and come back with it`() async throws {
        let (first, second) = try await pair()
        second.plane.update(peers: [])
        try await first.wait { first.disconnections(from: "h2").contains("it says: the registry of h2 has changed") }
        try await first.wait { first.plane.failureReasons["h2"]?.contains("is no host in h2's registry") == true }
        second.plane.update(peers: [cluster.record("h1")])
        try await first.wait { first.connections(to: "h2") == 2 }
        first.plane.update(peers: [])
        try await second.wait { second.disconnections(from: "h1").count == 2 }
        #expect(first.plane.connectedPeers.isEmpty)
        await first.plane.stop()
        await second.plane.stop()
    }

    @Test func `pings keep a quiet connection alive`() async throws {
        var timings = ControlTimings()
        timings.ping = .milliseconds(20)
        timings.silence = .milliseconds(1500)
        let (first, second) = try await pair(timings: timings)
        try await Task.sleep(for: .milliseconds(2000))
        #expect(first.disconnections(from: "h2").isEmpty)
        #expect(second.disconnections(from: "h1").isEmpty)
        await first.plane.stop()
        await second.plane.stop()
    }

    @Test func `a renewed certificate is used for connections from then on, and standing ones stay`() async throws {
        let (first, second) = try await pair()
        try PKI.renew(host: "h2", directory: cluster.directory, newKey: true)
        try second.plane.reloadCertificates()
        #expect(first.plane.send(.keyAccepted(id: 1), to: "h2"))
        try await second.wait { second.messages == [.keyAccepted(id: 1)] }
        #expect(first.disconnections(from: "h2").isEmpty)
        // Pinning the new certificate ends the connection that the old one made; the next is believed.
        let pinned = try PKI.fingerprint(cluster.path("h2.crt"))
        first.plane.update(peers: [cluster.record("h2", pinned: pinned)])
        try await first.wait { first.connections(to: "h2") == 2 }
        #expect(first.disconnections(from: "h2") == ["the registry of h1 has changed"])
        await first.plane.stop()
        await second.plane.stop()
    }

    @Test func `certificates that do not fit are not taken over`() async throws {
        let (first, second) = try await pair()
        let good = try String(contentsOfFile: cluster.path("h2.key"), encoding: .utf8)
        try "garbage".write(toFile: cluster.path("h2.key"), atomically: true, encoding: .utf8)
        let error = #expect(throws: ControlError.self) { try second.plane.reloadCertificates() }
        #expect(error?.description.contains("h2.key: is not a private key") == true)
        await first.plane.stop()
        try await second.wait { second.disconnections(from: "h1").count == 1 }
        try await first.plane.start()
        try await second.wait { second.connections(to: "h1") == 2 }
        try good.write(toFile: cluster.path("h2.key"), atomically: true, encoding: .utf8)
        #expect(throws: Never.self) { try second.plane.reloadCertificates() }
        await first.plane.stop()
        await second.plane.stop()
    }

    @Test func `under a new authority all connections are made anew`() async throws {
        let (first, second) = try await pair()
        for file in ["ca.crt", "ca.key", "h1.crt", "h2.crt"] {
            try FileManager.default.removeItem(atPath: cluster.path(file))
        }
        try PKI.createAuthority(in: cluster.directory)
        for host in ["h1", "h2"] { try PKI.issue(host: host, directory: cluster.directory) }
        try second.plane.reloadCertificates()
        try await first.wait { first.disconnections(from: "h2") == ["it says: h2 has a new authority"] }
        try await first.wait {
            first.plane.failureReasons["h2"]?.contains("not signed by this cluster's authority") == true
        }
        try first.plane.reloadCertificates()
        try await first.wait { first.connections(to: "h2") == 2 }
        await first.plane.stop()
        await second.plane.stop()
    }
}
