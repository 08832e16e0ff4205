import Crypto
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import SlimJSON
import SlimPKI
import SlimPolicy
import SlimRegistry
import Synchronization

@testable import SlimControl
@testable import SlimRouterCore

/// All that a peer with a valid certificate can say: from bytes by way of frames and the states of a connection to what the
/// router makes of its messages.
///
/// Bodies of frames stand between zero bytes. One that begins with 1 goes into the stream as it is, without a length.
final class ControlHarness: Harness {
    static let name = "control"
    static let longest = 8192
    static let words =
        [
            "type", "greeting", "version", "oldestVersion", "name", "software", "goodbye", "reason", "ping", "pong",
            "key",
            "id", "secret", "dataPorts", "voids", "keyAccepted", "resolve", "source", "destination", "resolved",
            "verdict",
            "cacheable", "isSilent", "listening", "listeningV6", "notListening", "denied", "busy", "unknownEndpoint",
            "invalidate", "destinations", "invalidateAll", "void", "voided", "through", "contacts", "containers",
            "scope",
            "present", "gone", "change", "part", "last", "labels", "addresses", "explain", "explained", "direction",
            "transport", "ingress", "egress", "tcp", "h2", "h3", "10.32.2.2", "10.32.9.2:80", "10.32.3.2",
            "[fd00:32:0:2::2]:80",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "tier", "db",
        ].map { "\"\($0)\"" } + ["true", "\0", "\0\u{1}", "8738", "13107", "18446744073709551615"]

    /// Numbers of keys that an input can name.
    private static let ownKey: UInt64 = 0x2222
    private static let othersKey: UInt64 = 0x3333

    private let router: RouterFixture
    private let loop = EmbeddedEventLoop()
    private let core: ControlCore
    private let details: CertificateDetails
    private let events = Events()
    private let othersSecret = SymmetricKey(size: .bits256)

    init() throws {
        let policy = try PolicyDocument.load(Project.root + "/Policies/three-tier.json")
        router = try RouterFixture(policy: CompiledPolicy(policy))
        let directory = FileManager.default.temporaryDirectory.path + "/slim-fuzz-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try PKI.createAuthority(in: directory)
        func issue(_ host: String) throws -> CertificateDetails {
            try PKI.issue(host: host, directory: directory)
            return try PKI.checkCredentials(
                host: host, certificate: "\(directory)/\(host).crt", key: "\(directory)/\(host).key",
                authority: "\(directory)/ca.crt")
        }
        details = try issue("h2")
        _ = try issue(RouterFixture.host)
        let configuration = ControlConfiguration(
            name: RouterFixture.host, listenAddress: IPAddress(v4: (127, 0, 0, 1)), port: Port(14_799),
            certificatePath: "\(directory)/h9.crt", keyPath: "\(directory)/h9.key", authorityPath: "\(directory)/ca.crt"
        )
        let events = events
        core = ControlCore(
            configuration: configuration, credentials: try Credentials(configuration), loop: loop, table: LinkTable(),
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }, events: { events.append($0) })
        core.update(peers: try RouterFixture.records())
    }

    static func seeds() throws -> [[UInt8]] {
        let v4 = Endpoint(RouterFixture.c1, Port(80))
        let remote = IPAddress(v4: (10, 32, 2, 2))
        let remoteV6 = IPAddress(v6High: 0xfd00_0032_0000_0002, low: 2)
        let container = ContainerIdentity(name: "web", addresses: [remote, remoteV6], labels: ["tier": "web"])
        let key = PreambleKey(id: 1, secret: Array(0..<32), dataPorts: [Port(14_800), Port(14_802)], voids: true)
        let messages: [[ControlMessage]] = [
            [.key(key), .keyAccepted(id: ownKey), .invalidateAll],
            [
                .resolve(ResolveQuery(id: 9, source: remote, destination: v4)),
                .invalidate([v4, Endpoint(remoteV6, Port(1))]),
            ],
            [.resolved(ResolveAnswer(id: 9, verdict: .denied, isSilent: true, cacheable: true))],
            [.containers(ContainerUpdate(.part, present: [container])), .containers(ContainerUpdate(.last))],
            [.containers(ContainerUpdate(.change, present: [container], gone: ["db"]))],
            [
                .key(key),
                .void(
                    VoidNotice(
                        id: 9, key: 1, through: 3,
                        contacts: [VoidNotice.Contact(source: remote, destination: v4, through: 17)])),
                .voided(id: 9),
            ],
            [
                .explain(ExplainQuery(id: 3, direction: "ingress", source: remote, destination: v4, transport: "tcp")),
                .explained(ExplainAnswer(id: 3, verdict: "allow", reason: "rule web")),
            ],
        ]
        let greeting = Frame.greeting(Greeting(name: "h2", software: "slimrouter"))
        let frames =
            messages.map { [greeting] + $0.flatMap { FrameCodec.frames(for: $0) } } + [
                [.ping, greeting, .pong, greeting],
                [greeting, .ping, .unknown(type: "new"), .goodbye(reason: "it stops")],
            ]
        return try frames.enumerated().map { index, frames in
            var writer = InputWriter()
            writer.append([UInt8(index * 7)])
            for frame in frames {
                let encoded = try FrameCodec.encode(frame)
                writer.append(encoded.readableBytesView.dropFirst(4) + [0])
            }
            return writer.bytes
        }
    }

    func run(_ input: UnsafeRawBufferPointer) throws {
        let handler = LinkHandler(side: .acceptor(from: IPAddress(v4: (127, 0, 0, 2))), core: core)
        let channel = EmbeddedChannel(handlers: [ByteToMessageHandler(FrameDecoder()), handler], loop: loop)
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.2", port: 1)).wait()
        handler.believe(details)
        router.engine.inboundKeys[Self.othersKey] = InboundKey(peer: try router.peer("h3"), key: othersSecret)
        var reader = InputReader(input)
        let piece = Int(reader.byte())
        for body in reader.remaining().split(separator: 0, maxSplits: 200, omittingEmptySubsequences: false) {
            try deliver(body, piece, to: channel)
            try look()
        }
        channel.close(promise: nil)
        loop.run()
        try look()
        try require(router.peer("h2").isConnected == false, "a connection that is closed is thought open")
        router.turn()
        try router.forgetPeers()
        try require(
            router.engine.parties.isEmpty && router.engine.interest.count == 0, "a host that is gone is remembered")
    }

    private func deliver(_ body: Slice<UnsafeRawBufferPointer>, _ piece: Int, to channel: EmbeddedChannel) throws {
        var buffer = ByteBuffer()
        if body.first == 1 {
            buffer.writeBytes(body.dropFirst())
        } else {
            buffer.writeInteger(UInt32(body.count))
            buffer.writeBytes(body)
            try survive(ByteBuffer(bytes: body))
        }
        while buffer.readableBytes > 0, channel.isActive {
            let count = piece == 0 ? buffer.readableBytes : min(piece, buffer.readableBytes)
            if let part = buffer.readSlice(length: count) { _ = try? channel.writeInbound(part) }
        }
        while let answer = try? channel.readOutbound(as: ByteBuffer.self) {
            let frame = try? FrameCodec.decode(answer.getSlice(at: 4, length: answer.readableBytes - 4) ?? answer)
            try require(frame != nil, "an answer that is no frame: \(String(buffer: answer))")
        }
    }

    /// What was decoded, encoded and decoded is what was decoded.
    private func survive(_ body: ByteBuffer) throws {
        guard let frame = try? FrameCodec.decode(body) else { return }
        // Fields with defaults are written out, and quotes and control characters take more room than they did.
        guard var encoded = try? FrameCodec.encode(frame) else { return }
        encoded.moveReaderIndex(forwardBy: 4)
        let again = try? FrameCodec.decode(encoded)
        try require(again == frame, "\(frame) does not survive")
    }

    /// Has the router hear what the connection has told, and looks at what it made of it.
    private func look() throws {
        let engine = router.engine
        for event in events.take() {
            engine.handle(event)
            if case .connected = event { try router.peer("h2").keyID = Self.ownKey }
            for (message, _) in router.takeTold() {
                for frame in FrameCodec.frames(for: message) {
                    try require((try? FrameCodec.encode(frame)) != nil, "too large a frame is sent: \(frame)")
                }
            }
        }
        let (mine, others) = (try router.peer("h2"), try router.peer("h3"))
        let key = engine.inboundKeys[Self.othersKey]
        try require(key?.peer === others && key?.expiry == nil, "a peer has taken another's key away")
        try require(key?.prepared.end == nil, "a peer has ended what another has prepared")
        try require(
            engine.inboundKeys[engine.local.keyID]?.peer === engine.local, "a peer has taken this host's key away")
        try require(engine.inboundKeys.count <= 2 + Engine.mostKeys, "\(engine.inboundKeys.count) keys")
        for (address, party) in engine.parties {
            try require(mine.record.owns(address), "h2 has brought in \(party.identity.name) at \(address)")
        }
        try require(mine.arriving.allSatisfy { $0.addresses.allSatisfy { mine.record.owns($0) } }, "strangers wait")
    }
}

private final class Events: Sendable {
    private let events = Mutex<[ControlEvent]>([])

    func append(_ event: ControlEvent) { events.withLock { $0.append(event) } }

    func take() -> [ControlEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}
