import Crypto
import SlimRegistry

@testable import SlimRouterCore

/// Preambles of two peers, in a sequence: made, signed over any fields, altered, replayed, declared void, and plain bytes.
///
/// Keys are new in each run: bytes that were not signed here must never be accepted.
final class PreambleHarness: Harness {
    static let name = "preambles"
    static let longest = 2048
    static let words = ["SLIM\u{1}"]

    enum Step: UInt8, CaseIterable { case plain, made, signed, replayed, altered, void, end }

    private let keys = [SymmetricKey(size: .bits256), SymmetricKey(size: .bits256)]
    private let peers: [Peer]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Preamble.byteCount, alignment: 8)
    private let now = ContinuousClock.now

    init() {
        peers = ["h2", "h3"].map { name in
            let address = IPAddress(v4: (192, 0, 2, 1))
            return Peer(record: HostRecord(name: name, underlay: address, subnets: []), address: address)
        }
    }

    deinit { buffer.deallocate() }

    static func seeds() -> [[UInt8]] {
        var made = InputWriter()
        for counter in 1...4 as ClosedRange<UInt64> {
            made.append([Step.made.rawValue, UInt8(counter & 2)])
            made.integer(counter)
            write(Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(10_000)), to: &made)
            write(Endpoint(IPAddress(v6High: 0xfd00_0032_0000_0002, low: 3), Port(443)), to: &made)
            made.append([Step.replayed.rawValue, Step.altered.rawValue, UInt8(counter) * 20, 1])
        }
        var void = InputWriter()
        void.append(made.bytes)
        void.append([Step.void.rawValue])
        void.integer(UInt64(3))
        void.integer(UInt64(9))
        void.append(made.bytes + [Step.end.rawValue] + made.bytes)
        var signed = InputWriter()
        signed.append([Step.signed.rawValue])
        signed.append("SLIM".utf8)
        signed.append([1, 2, 4, 6] + [UInt8](repeating: 0, count: 15) + [1] + [UInt8](1...48))
        return [made.bytes, void.bytes, signed.bytes, [Step.plain.rawValue] + Array("SLIM".utf8) + [1, 0, 4, 4]]
    }

    private static func write(_ endpoint: Endpoint, to writer: inout InputWriter) {
        writer.append([endpoint.address.family.rawValue])
        writer.integer(endpoint.address.high)
        writer.integer(endpoint.address.low)
        writer.integer(endpoint.port.rawValue)
    }

    func run(_ input: UnsafeRawBufferPointer) throws {
        var reader = InputReader(input)
        var sides = zip(peers, keys).map { Side(inbound: InboundKey(peer: $0, key: $1)) }
        var last: (bytes: [UInt8], side: Int)?
        for _ in 0..<64 where !reader.isEmpty {
            let first = reader.byte()
            let side = Int(first >> 7)
            let other = 1 - side
            switch Step.allCases[Int(first & 0x7f) % Step.allCases.count] {
            case .plain:
                let bytes = reader.bytes(Preamble.byteCount)
                for key in keys { try require(decode(bytes, key) == nil, "accepted what nobody has signed") }
            case .made:
                let preamble = self.preamble(&reader)
                preamble.encode(into: buffer, with: HMAC(key: keys[side]))
                try require(decode(buffer, keys[side]) == preamble, "\(preamble) is decoded as another")
                try require(decode(buffer, keys[other]) == nil, "another's key opens it")
                try sides[side].expect(preamble, now)
                last = (Array(buffer), side)
            case .signed:
                sign(reader.bytes(72), keys[side])
                guard let preamble = decode(buffer, keys[side]) else { continue }
                last = (Array(buffer), side)
                preamble.encode(into: buffer, with: HMAC(key: keys[side]))
                try require(decode(buffer, keys[side]) == preamble, "\(preamble) does not survive")
                try sides[side].expect(preamble, now)
            case .replayed:
                guard let last, let preamble = decode(last.bytes, keys[last.side]) else { continue }
                try require(!sides[last.side].accept(preamble, now), "\(preamble) counts twice")
            case .altered:
                guard var bytes = last?.bytes, let of = last?.side else { continue }
                let position = Int(reader.byte()) % bytes.count
                let change = reader.byte()
                bytes[position] ^= change
                try require(
                    change == 0 || decode(bytes, keys[of]) == nil, "byte \(position) may differ by \(change)")
            case .void:
                let through = reader.integer(UInt64.self)
                let contact = reader.integer(UInt64.self)
                sides[side].void(through: through, last.flatMap { decode($0.bytes, keys[$0.side]) }, contact)
            case .end: sides[side].end(at: now)
            }
        }
    }

    private func preamble(_ reader: inout InputReader) -> Preamble {
        func endpoint() -> Endpoint {
            let isV4 = reader.byte() & 2 == 0
            let (high, low) = (reader.integer(UInt64.self), reader.integer(UInt64.self))
            let address = isV4 ? IPAddress(v4Bits: UInt32(high >> 32)) : IPAddress(v6High: high, low: low)
            return Endpoint(address, Port(reader.integer()))
        }
        let flags = Preamble.Flags(rawValue: reader.byte())
        return Preamble(
            flags: flags, keyID: 7, counter: reader.integer(), source: endpoint(), destination: endpoint())
    }

    /// Fields as a peer of the cluster may write them: any.
    private func sign(_ fields: UnsafeRawBufferPointer, _ key: SymmetricKey) {
        for index in 0..<72 { buffer[index] = index < fields.count ? fields[index] : 0 }
        let code = HMAC<SHA256>.authenticationCode(for: UnsafeRawBufferPointer(rebasing: buffer[..<72]), using: key)
        for (index, byte) in code.prefix(16).enumerated() { buffer[72 + index] = byte }
    }

    private func decode(_ bytes: some Collection<UInt8>, _ key: SymmetricKey) -> Preamble? {
        withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 8) { room in
            room.copyBytes(from: bytes)
            return Preamble(UnsafeRawBufferPointer(room), with: HMAC(key: key))
        }
    }
}

/// A key's windows, and the same told plainly.
private struct Side {
    let inbound: InboundKey
    private var plain = PlainWindow(size: ReplayWindow.size)
    private var prepared = PlainWindow(size: PreparedWindow.size)
    private var voidThrough: UInt64 = 0
    private var voidContacts: [Contact: UInt64] = [:]
    private var hasEnded = false

    init(inbound: InboundKey) { self.inbound = inbound }

    /// As the connection thread does.
    func accept(_ preamble: Preamble, _ now: ContinuousClock.Instant) -> Bool {
        guard preamble.flags.contains(.prepared) else { return inbound.window.accept(preamble.counter) }
        return inbound.prepared.accept(preamble.counter, of: Self.contact(preamble), at: now)
    }

    mutating func expect(_ preamble: Preamble, _ now: ContinuousClock.Instant) throws {
        let wanted: Bool
        if preamble.flags.contains(.prepared) {
            let isVoid =
                hasEnded || preamble.counter <= voidThrough
                || preamble.counter <= voidContacts[Self.contact(preamble)] ?? 0
            wanted = !isVoid && prepared.accept(preamble.counter)
        } else {
            wanted = plain.accept(preamble.counter)
        }
        try require(accept(preamble, now) == wanted, "\(preamble) is \(wanted ? "refused" : "accepted")")
    }

    mutating func void(through: UInt64, _ preamble: Preamble?, _ counter: UInt64) {
        let contacts = preamble.map { [(Self.contact($0), counter)] } ?? []
        inbound.prepared.void(through: through, contacts)
        voidThrough = max(voidThrough, through)
        for (contact, counter) in contacts { voidContacts[contact] = max(voidContacts[contact] ?? 0, counter) }
    }

    mutating func end(at now: ContinuousClock.Instant) {
        inbound.prepared.end(at: now)
        hasEnded = true
    }

    private static func contact(_ preamble: Preamble) -> Contact {
        Contact(source: preamble.source.address, destination: preamble.destination)
    }
}

private struct PlainWindow {
    let size: UInt64
    private var seen: Set<UInt64> = []
    private var newest: UInt64 = 0

    init(size: UInt64) { self.size = size }

    mutating func accept(_ counter: UInt64) -> Bool {
        guard counter > newest || newest - counter < size else { return false }
        newest = max(newest, counter)
        return seen.insert(counter).inserted
    }
}
