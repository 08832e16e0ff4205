import SlimControl
import SlimRegistry
import Testing

@Suite(.timeLimit(.minutes(1))) struct HostilePeerTests {
    let cluster: Cluster
    private static let greeting = #"{"type":"greeting","version":1,"name":"h1"}"#

    init() throws { cluster = try Cluster() }

    private var stranger: IPAddress { cluster.address("h99") }

    /// h2 and h3, connected, and proof afterwards that nothing happened to their connection.
    private func withGoodLink(timings: ControlTimings = ControlTimings(), _ body: (TestRouter) async throws -> Void)
        async throws
    {
        let second = try await cluster.start(
            "h2", peers: [cluster.record("h1"), cluster.record("h3")], timings: timings)
        let third = try await cluster.start("h3", peers: [cluster.record("h2")], timings: timings)
        try await third.waitForConnection(to: "h2")
        try await second.waitForConnection(to: "h3")
        try await body(second)
        #expect(second.plane.send(.keyAccepted(id: 1), to: "h3"))
        try await third.wait { third.messages == [.keyAccepted(id: 1)] }
        #expect(third.plane.send(.keyAccepted(id: 2), to: "h2"))
        try await second.wait { second.messages.contains(.keyAccepted(id: 2)) }
        #expect(second.disconnections(from: "h3").isEmpty)
        await second.plane.stop()
        await third.plane.stop()
    }

    @Test func `garbage instead of TLS is dropped`() async throws {
        try await withGoodLink { router in
            for bytes in [
                Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0xff, count: 100_000),
                [0x16, 0x03, 0x01, 0xff, 0xff],
            ] {
                let peer = try await RawPeer.connect(to: cluster.address("h2"), from: stranger)
                peer.send(bytes)
                if bytes.count < 10 { peer.close() }
                try await peer.waitForClose()
            }
            try await router.waitForLog("dropped a connection from \(stranger)")
        }
    }

    @Test func `connections that say nothing are dropped, before TLS and after`() async throws {
        var timings = ControlTimings()
        timings.handshake = .seconds(1)
        try await withGoodLink(timings: timings) { router in
            let mute = try await RawPeer.connect(to: cluster.address("h2"), from: stranger)
            let ungreeted = try await RawPeer.connect(
                to: cluster.address("h2"), from: stranger, certificateOf: "h1", in: cluster)
            try await mute.waitForClose()
            try await ungreeted.waitForClose()
            try await router.waitForLog("did not finish the handshake in time")
        }
    }

    @Test func `a flood from one address gets four places, which are free again later`() async throws {
        try await withGoodLink { router in
            var peers: [RawPeer] = []
            for _ in 0..<4 { peers.append(try await RawPeer.connect(to: cluster.address("h2"), from: stranger)) }
            for _ in 0..<20 { try await RawPeer.connect(to: cluster.address("h2"), from: stranger).waitForClose() }
            try await router.waitForLog("too many from there have not said who they are")
            #expect(!peers.contains { !$0.isOpen })
            #expect(router.log.count { $0.contains("too many") } < 10)
            for peer in peers { peer.close() }
            // The router sees the ends of those connections a moment later; until then the places are taken.
            var later: RawPeer
            repeat {
                later = try await RawPeer.connect(
                    to: cluster.address("h2"), from: stranger, certificateOf: "h1", in: cluster)
                later.send(json: Self.greeting)
                try await router.wait { !later.isOpen || router.connections(to: "h1") == 1 }
            } while router.connections(to: "h1") == 0
            later.close()
        }
    }

    /// An authenticated h1 that sends something and is closed for it.
    private func expectDropped(_ reason: String, sending send: (RawPeer) -> Void) async throws {
        try await withGoodLink { router in
            let peer = try await RawPeer.connect(
                to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: cluster)
            peer.send(json: Self.greeting)
            try await router.waitForConnection(to: "h1")
            send(peer)
            try await peer.waitForClose()
            try await router.wait { !router.disconnections(from: "h1").isEmpty }
            #expect(router.disconnections(from: "h1").first?.contains(reason) == true)
            #expect(peer.text.contains("goodbye"))
        }
    }

    @Test func `an oversized frame ends the connection before it is read`() async throws {
        try await expectDropped("a frame of 65537 bytes") { $0.send([0, 1, 0, 1]) }
    }

    @Test func `an empty frame ends the connection`() async throws {
        try await expectDropped("a frame of 0 bytes") { $0.send([0, 0, 0, 0]) }
    }

    @Test func `a frame that is no JSON ends the connection`() async throws {
        try await expectDropped("a malformed frame: not JSON") { $0.send(json: "hello") }
    }

    @Test func `deep JSON ends the connection`() async throws {
        try await expectDropped("a malformed frame") { $0.send(json: String(repeating: "[", count: 60_000)) }
    }

    @Test func `a field that does not fit is named`() async throws {
        try await expectDropped("a malformed frame: id is missing") { $0.send(json: #"{"type":"keyAccepted"}"#) }
    }

    @Test func `a second greeting ends the connection`() async throws {
        try await expectDropped("a second greeting") { $0.send(json: Self.greeting) }
    }

    @Test func `frames may arrive in any pieces`() async throws {
        try await withGoodLink { router in
            let peer = try await RawPeer.connect(
                to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: cluster)
            peer.send(json: Self.greeting)
            for byte in [0, 0, 0, 0x1d] + Array(#"{"id":7,"type":"keyAccepted"}"#.utf8) { peer.send([UInt8(byte)]) }
            try await router.wait { router.messages == [.keyAccepted(id: 7)] }
            peer.close()
            try await router.wait { router.disconnections(from: "h1").count == 1 }
        }
    }

    @Test func `a peer that falls silent is taken for dead`() async throws {
        var timings = ControlTimings()
        timings.ping = .milliseconds(50)
        timings.silence = .milliseconds(1500)
        try await withGoodLink(timings: timings) { router in
            let peer = try await RawPeer.connect(
                to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: cluster)
            peer.send(json: Self.greeting)
            try await router.wait { router.disconnections(from: "h1").count == 1 }
            #expect(router.disconnections(from: "h1").first?.contains("nothing was heard from it") == true)
        }
    }

    @Test func `a peer that does not read is dropped at the limit`() async throws {
        try await withGoodLink { router in
            let peer = try await RawPeer.connect(
                to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: cluster)
            peer.send(json: Self.greeting)
            try await router.waitForConnection(to: "h1")
            try await peer.stopReading()
            let message = ControlMessage.invalidate(
                (0..<1000).map { Endpoint(IPAddress(v4Bits: UInt32($0)), Port(80)) })
            var sent = 0
            while router.plane.send(message, to: "h1") {
                sent += 1
                try #require(sent < 10_000)
            }
            try await router.wait { router.disconnections(from: "h1").count == 1 }
            #expect(router.disconnections(from: "h1").first?.contains("it does not read") == true)
            peer.close()
        }
    }

    @Test func `a newer connection of a peer replaces the older`() async throws {
        try await withGoodLink { router in
            let first = try await RawPeer.connect(
                to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: cluster)
            first.send(json: Self.greeting)
            try await router.waitForConnection(to: "h1")
            let second = try await RawPeer.connect(
                to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: cluster)
            second.send(json: Self.greeting)
            try await first.waitForClose()
            try await router.wait { router.connections(to: "h1") == 2 }
            #expect(router.plane.send(.keyAccepted(id: 9), to: "h1"))
            try await router.wait { second.text.contains("keyAccepted") }
            #expect(
                router.events.filter { $0 != .connected(peer: "h3") }.prefix(3).map { "\($0)".prefix(10) } == [
                    "connected(", "disconnect", "connected(",
                ])
        }
    }
}
