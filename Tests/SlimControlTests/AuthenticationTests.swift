import FoundationEssentials
import SlimControl
import SlimPKI
import SlimRegistry
import Testing

@Suite(.timeLimit(.minutes(1))) struct AuthenticationTests {
    let cluster: Cluster

    init() throws { cluster = try Cluster() }

    /// Starts h1 and h2, waits for a reason why h1 cannot connect, and checks that neither believed the other.
    private func expectRefusal(
        _ reason: String, by first: TestRouter, of second: TestRouter, logs: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await first.wait { first.plane.failureReasons["h2"]?.contains(reason) == true }
        if let logs { try await second.waitForLog(logs) }
        #expect(first.events.isEmpty, sourceLocation: sourceLocation)
        #expect(second.events.isEmpty, sourceLocation: sourceLocation)
        #expect(!first.plane.send(.invalidateAll, to: "h2"), sourceLocation: sourceLocation)
        await first.plane.stop()
        await second.plane.stop()
    }

    @Test func `a dialler refuses a certificate of another authority`() async throws {
        let other = try Cluster()
        let second = try await other.start("h2", at: cluster.address("h2"), peers: [other.record("h1")])
        let first = try await cluster.start("h1", peers: [cluster.record("h2")])
        try await expectRefusal(
            "not signed by this cluster's authority", by: first, of: second, logs: "another authority signed it")
    }

    @Test func `an acceptor refuses a certificate of another authority, and none at all`() async throws {
        let second = try await cluster.start("h2", peers: [cluster.record("h1")])
        let foreign = try await RawPeer.connect(
            to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: try Cluster())
        foreign.send(json: #"{"type":"greeting","version":1,"name":"h1"}"#)
        try await foreign.waitForClose()
        try await second.waitForLog("not signed by this cluster's authority")
        try await Task.sleep(for: .seconds(1))  // So that the log lets the next line through.
        let anonymous = try await RawPeer.connect(to: cluster.address("h2"), from: cluster.address("h1"), in: cluster)
        anonymous.send(json: #"{"type":"greeting","version":1,"name":"h1"}"#)
        try await anonymous.waitForClose()
        try await second.waitForLog("it showed no certificate")
        #expect(second.events.isEmpty)
        await second.plane.stop()
    }

    @Test func `a dialler refuses another host's certificate`() async throws {
        let third = try await cluster.start("h3", peers: [cluster.record("h1")])
        let first = try await cluster.start("h1", peers: [cluster.record("h2", at: "h3")])
        try await expectRefusal(
            "its certificate is for \"h3\", not for h2", by: first, of: third, logs: "it says: its certificate")
    }

    @Test func `an acceptor refuses a host that is not in its registry, and the dialler learns why`() async throws {
        let second = try await cluster.start("h2", peers: [cluster.record("h0")])
        let first = try await cluster.start("h1", peers: [cluster.record("h2")])
        try await expectRefusal(
            "it says: its certificate is for \"h1\", which is no host in h2's registry", by: first, of: second,
            logs: "no host in h2's registry")
    }

    @Test func `a pinned certificate that is another is refused on both sides`() async throws {
        try cluster.issue("h1")
        try cluster.issue("h2")
        let pinned = try PKI.fingerprint(cluster.path("ca.crt"))
        for dialler in [true, false] {
            let second = try await cluster.start("h2", peers: [cluster.record("h1", pinned: dialler ? nil : pinned)])
            let first = try await cluster.start("h1", peers: [cluster.record("h2", pinned: dialler ? pinned : nil)])
            try await expectRefusal(
                "is not the one that h\(dialler ? 1 : 2) has pinned", by: first, of: second, logs: "has pinned")
        }
    }

    @Test func `a pinned certificate that fits is believed`() async throws {
        try cluster.issue("h1")
        try cluster.issue("h2")
        let second = try await cluster.start(
            "h2", peers: [cluster.record("h1", pinned: try PKI.fingerprint(cluster.path("h1.crt")))])
        let first = try await cluster.start(
            "h1", peers: [cluster.record("h2", pinned: try PKI.fingerprint(cluster.path("h2.crt")))])
        try await first.waitForConnection(to: "h2")
        try await second.waitForConnection(to: "h1")
        await first.plane.stop()
        await second.plane.stop()
    }

    /// A raw peer with a host's certificate says something to h2, and is closed.
    private func expectGoodbye(_ reason: String, certificateOf host: String, saying json: String) async throws {
        let second = try await cluster.start("h2", peers: [cluster.record("h1"), cluster.record("h3")])
        let peer = try await RawPeer.connect(
            to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: host, in: cluster)
        peer.send(json: json)
        try await peer.waitForClose()
        #expect(peer.text.contains("\"type\":\"goodbye\""))
        try await second.waitForLog(reason)
        #expect(second.events.isEmpty)
        await second.plane.stop()
    }

    @Test func `a peer of another version is told so`() async throws {
        try await expectGoodbye(
            "it speaks versions 7 to 9 of the control protocol, h2 speaks version 1", certificateOf: "h1",
            saying: #"{"type":"greeting","version":9,"oldestVersion":7,"name":"h1"}"#)
    }

    @Test func `a peer that knows our version among newer ones is believed`() async throws {
        let second = try await cluster.start("h2", peers: [cluster.record("h1")])
        let peer = try await RawPeer.connect(
            to: cluster.address("h2"), from: cluster.address("h1"), certificateOf: "h1", in: cluster)
        peer.send(json: #"{"type":"greeting","version":9,"oldestVersion":1,"name":"h1","mood":"good"}"#)
        try await second.waitForConnection(to: "h1")
        peer.send(json: #"{"type":"teleport","id":{}}"#)
        peer.send(json: #"{"type":"keyAccepted","id":4,"more":true}"#)
        try await second.wait { second.messages == [.keyAccepted(id: 4)] }
        await second.plane.stop()
    }

    @Test func `a peer cannot call itself by a name that its certificate does not have`() async throws {
        try await expectGoodbye(
            "it calls itself \"h3\", but its certificate is for h1", certificateOf: "h1",
            saying: #"{"type":"greeting","version":1,"name":"h3"}"#)
    }

    @Test func `a peer that should be dialled does not dial`() async throws {
        try await expectGoodbye(
            "h2 dials h3, not the other way round", certificateOf: "h3",
            saying: #"{"type":"greeting","version":1,"name":"h3"}"#)
    }

    @Test func `a message before the greeting is refused`() async throws {
        try await expectGoodbye(
            "something else before its greeting", certificateOf: "h1", saying: #"{"type":"invalidateAll"}"#)
    }
}
