import NIOCore
import SlimRegistry
import Testing

@testable import SlimControl

@Suite struct FrameCodecTests {
    private static let v6 = IPAddress(v6High: 0xfd00_0032_0000_0001, low: 2)

    /// Every frame there is, with the bytes that stand for it: hex of the length, then the text.
    static let golden: [(Frame, String, String)] = [
        (
            .greeting(Greeting(version: 2, oldestVersion: 1, name: "h1", software: "slimrouter 1.0")), "00 00 00 59",
            #"{"name":"h1","oldestVersion":1,"software":"slimrouter 1.0","type":"greeting","version":2}"#
        ),
        (.goodbye(reason: "h1 stops"), "00 00 00 26", #"{"reason":"h1 stops","type":"goodbye"}"#),
        (.ping, "00 00 00 0f", #"{"type":"ping"}"#),
        (.pong, "00 00 00 0f", #"{"type":"pong"}"#),
        (
            .message(.key(PreambleKey(id: .max, secret: Array(0..<32), dataPorts: [Port(4800), Port(4801)]))),
            "00 00 00 78",
            #"{"dataPorts":[4800,4801],"id":18446744073709551615,"secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","type":"key"}"#
        ),
        (.message(.keyAccepted(id: 7)), "00 00 00 1d", #"{"id":7,"type":"keyAccepted"}"#),
        (
            .message(
                .resolve(
                    ResolveQuery(
                        id: 9, source: IPAddress(v4: (10, 32, 1, 2)),
                        destination: Endpoint(IPAddress(v4: (10, 32, 2, 2)), Port(80))))),
            "00 00 00 4b", #"{"destination":"10.32.2.2:80","id":9,"source":"10.32.1.2","type":"resolve"}"#
        ),
        (
            .message(.resolved(ResolveAnswer(id: 9, verdict: .notListening, cacheable: true))), "00 00 00 44",
            #"{"cacheable":true,"id":9,"type":"resolved","verdict":"notListening"}"#
        ),
        (
            .message(.invalidate([Endpoint(v6, Port(443)), Endpoint(IPAddress(v4: (10, 32, 2, 2)), Port(0))])),
            "00 00 00 4b",
            #"{"destinations":["[fd00:32:0:1::2]:443","10.32.2.2:0"],"type":"invalidate"}"#
        ),
        (.message(.invalidateAll), "00 00 00 18", #"{"type":"invalidateAll"}"#),
        (
            .message(.key(PreambleKey(id: 1, secret: Array(0..<32), dataPorts: [], voids: true))), "00 00 00 69",
            #"{"dataPorts":[],"id":1,"secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","type":"key","voids":true}"#
        ),
        (
            .message(
                .void(
                    VoidNotice(
                        id: 9, key: 7, through: 3,
                        contacts: [
                            VoidNotice.Contact(
                                source: IPAddress(v4: (10, 32, 1, 2)),
                                destination: Endpoint(IPAddress(v4: (10, 32, 2, 2)), Port(80)), through: 17)
                        ]))), "00 00 00 78",
            #"{"contacts":[{"destination":"10.32.2.2:80","source":"10.32.1.2","through":17}],"id":9,"key":7,"through":3,"type":"void"}"#
        ),
        (.message(.voided(id: 9)), "00 00 00 18", #"{"id":9,"type":"voided"}"#),
    ]

    private func decode(_ json: String) throws -> Frame { try FrameCodec.decode(ByteBuffer(string: json)) }

    @Test(arguments: golden.indices) func `each frame has exactly these bytes`(index: Int) throws {
        let (frame, length, text) = Self.golden[index]
        var buffer = try FrameCodec.encode(frame)
        let prefix = (buffer.readBytes(length: 4) ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        #expect(prefix.joined(separator: " ") == length)
        #expect(String(buffer: buffer) == text)
        #expect(try FrameCodec.decode(buffer) == frame)
    }

    @Test(arguments: ResolveVerdict.allCases) func `every verdict survives the way`(verdict: ResolveVerdict) throws {
        let frame = Frame.message(.resolved(ResolveAnswer(id: 1, verdict: verdict, cacheable: false)))
        var buffer = try FrameCodec.encode(frame)
        buffer.moveReaderIndex(forwardBy: 4)
        #expect(try FrameCodec.decode(buffer) == frame)
    }

    @Test func `unknown fields and unknown types are skipped`() throws {
        #expect(try decode(#"{"type":"ping","id":"text","colour":{"red":[1]}}"#) == .ping)
        #expect(try decode(#"{"type":"teleport","id":"text"}"#) == .unknown(type: "teleport"))
        #expect(
            try decode(#"{"type":"greeting","version":3,"name":"h1"}"#)
                == .greeting(Greeting(version: 3, oldestVersion: 3, name: "h1", software: "unknown")))
    }

    @Test(arguments: [
        "", "x", "[]", "null", "{}", #"{"type":1}"#, #"{"type":"ping""#, #"{"type":"keyAccepted"}"#,
        #"{"type":"keyAccepted","id":-1}"#,
        #"{"type":"keyAccepted","id":18446744073709551616}"#, #"{"type":"keyAccepted","id":1.5}"#,
        #"{"type":"key","id":1,"secret":"AAAA","dataPorts":[]}"#, #"{"type":"key","id":1,"secret":"?","dataPorts":[]}"#,
        #"{"type":"key","id":1,"secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","dataPorts":[0]}"#,
        #"{"type":"key","id":1,"secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","dataPorts":[70000]}"#,
        #"{"type":"resolve","id":1,"source":"10.32.1.2","destination":"10.32.2.2"}"#,
        #"{"type":"resolve","id":1,"source":"10.32.1.2/24","destination":"10.32.2.2:80"}"#,
        #"{"type":"resolve","id":1,"source":"10.32.1.2","destination":"fd00::1:80"}"#,
        #"{"type":"resolve","id":1,"source":"10.32.1.2","destination":"[10.32.2.2]:80"}"#,
        #"{"type":"resolve","id":1,"source":"10.32.1.2","destination":"10.32.2.2:+80"}"#,
        #"{"type":"resolved","id":1,"verdict":"perhaps","cacheable":true}"#,
        #"{"type":"invalidate","destinations":["x"]}"#,
    ]) func `what is malformed is refused`(json: String) {
        #expect(throws: FrameError.self) { try decode(json) }
    }

    @Test func `deep JSON is refused, not followed`() {
        for depth in [600, 30_000] {
            let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect(throws: FrameError.self) { try decode(#"{"type":"ping","x":\#(nested)}"#) }
        }
    }

    @Test func `random bytes never do harm`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            #expect(throws: FrameError.self) { try FrameCodec.decode(ByteBuffer(bytes: bytes)) }
        }
    }

    @Test func `a long list of destinations goes into several frames, each within the limit`() throws {
        let longest = IPAddress(v6High: 0xffff_ffff_ffff_ffff, low: 0xffff_ffff_ffff_ffff)
        let destinations = (0..<2500).map { Endpoint(longest, Port(UInt16(60_000 + $0))) }
        let frames = FrameCodec.frames(for: .invalidate(destinations))
        #expect(frames.count == 3)
        for frame in frames { #expect(throws: Never.self) { try FrameCodec.encode(frame) } }
        let joined = frames.flatMap { (frame) -> [Endpoint] in
            if case .message(.invalidate(let part)) = frame { part } else { [] }
        }
        #expect(joined == destinations)
    }

    @Test func `a frame beyond the limit is not sent`() {
        #expect(throws: FrameError.self) {
            try FrameCodec.encode(.goodbye(reason: String(repeating: "x", count: 70_000)))
        }
    }

    @Test func `a key's description does not tell the secret`() {
        #expect(!"\(PreambleKey(id: 1, secret: Array(repeating: 77, count: 32), dataPorts: []))".contains("77"))
    }
}
