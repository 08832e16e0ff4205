import Crypto
import SlimRegistry
import Testing

@testable import SlimRouterCore

struct PreambleTests {
    private static let key = SymmetricKey(data: Array(UInt8(0)..<32))
    private static let sample = Preamble(
        keyID: 0x0102_0304_0506_0708, counter: 42, source: Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(10_000)),
        destination: Endpoint(IPAddress(v6High: 0xfd00_0032_0000_0002, low: 3), Port(443)))

    private static let golden: [UInt8] = [
        0x53, 0x4c, 0x49, 0x4d,  // "SLIM"
        0x01,  // version
        0x00,  // flags: no probe
        0x04,  // the source is IPv4
        0x06,  // the destination is IPv6
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,  // the key's number
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2a,  // counter 42
        0x0a, 0x20, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00,  // 10.32.1.2
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0xfd, 0x00, 0x00, 0x32, 0x00, 0x00, 0x00, 0x02,  // fd00:32:0:2::3
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
        0x27, 0x10,  // port 10000
        0x01, 0xbb,  // port 443
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // reserved
    ]

    private static func encoded(_ preamble: Preamble = sample, key: SymmetricKey = key) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: Preamble.byteCount, alignment: 8) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0xff)
            preamble.encode(into: buffer, with: HMAC(key: key))
            return Array(buffer)
        }
    }

    /// Bytes at an aligned place, as the router has them.
    private static func decoded(_ bytes: [UInt8], key: SymmetricKey = key) -> Preamble? {
        withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 8) { buffer in
            buffer.copyBytes(from: bytes)
            return Preamble(UnsafeRawBufferPointer(buffer), with: HMAC(key: key))
        }
    }

    @Test func `the layout is as the protocol says, and the last 16 bytes are a truncated HMAC`() {
        let bytes = Self.encoded()
        let code = HMAC<SHA256>.authenticationCode(for: Self.golden, using: Self.key)
        #expect(bytes.count == 88)
        #expect(Array(bytes.prefix(72)) == Self.golden)
        #expect(Array(bytes.suffix(16)) == Array(code).prefix(16).map { $0 })
    }

    @Test(arguments: [Preamble.Flags(), .probe]) func `what was encoded is decoded`(flags: Preamble.Flags) {
        var preamble = Self.sample
        preamble.flags = flags
        #expect(Self.decoded(Self.encoded(preamble)) == preamble)
        (preamble.source, preamble.destination) = (preamble.destination, preamble.source)
        #expect(Self.decoded(Self.encoded(preamble)) == preamble)
    }

    @Test func `a change of any bit of any byte is noticed`() {
        let bytes = Self.encoded()
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                #expect(Self.decoded(changed) == nil, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test func `another key does not open it`() {
        #expect(Self.decoded(Self.encoded(), key: SymmetricKey(data: Array(UInt8(1)..<33))) == nil)
        #expect(Self.decoded(Self.encoded(key: SymmetricKey(size: .bits256))) == nil)
    }

    @Test func `what is too short or too long is none`() {
        let bytes = Self.encoded()
        for count in 0..<bytes.count { #expect(Self.decoded(Array(bytes.prefix(count))) == nil) }
        #expect(Self.decoded(bytes + [0]) == nil)
    }

    @Test(arguments: [0, 1, 5, 7, 10, 255] as [UInt8]) func `an unknown family is refused though it is signed`(
        family: UInt8
    ) {
        for position in [6, 7] {
            var bytes = Self.encoded()
            bytes[position] = family
            let code = HMAC<SHA256>.authenticationCode(for: bytes.prefix(72), using: Self.key)
            bytes.replaceSubrange(72..., with: Array(code).prefix(16))
            #expect(Self.decoded(bytes) == nil)
        }
    }

    @Test func `the number of the key is read before anything is believed`() {
        var bytes = Self.encoded()
        func keyID() -> UInt64? {
            withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 8) { buffer in
                buffer.copyBytes(from: bytes)
                return Preamble.keyID(in: UnsafeRawBufferPointer(buffer))
            }
        }
        #expect(keyID() == 0x0102_0304_0506_0708)
        bytes[4] = 2
        #expect(keyID() == nil)
        bytes[4] = 1
        bytes[0] = 0
        #expect(keyID() == nil)
    }
}
