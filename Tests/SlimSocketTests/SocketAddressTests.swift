import CSlimABI
import CSlimSocket
import Testing

@testable import SlimSocket

@Suite struct SocketAddressTests {
    // sockaddr_in: family (host order), port 4711 and address (network order), padding.
    static let v4: [UInt8] = [2, 0, 0x12, 0x67, 10, 32, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]
    // sockaddr_in6: family, port 4711, flow, address, scope 3.
    static let v6: [UInt8] =
        [10, 0, 0x12, 0x67, 0, 0, 0, 0]
        + [0xfd, 0, 0, 0x32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2] + [3, 0, 0, 0]
    static let mapped: [UInt8] =
        [10, 0, 0x12, 0x67, 0, 0, 0, 0]
        + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 32, 1, 2] + [0, 0, 0, 0]

    private func decode(_ bytes: [UInt8]) -> slim_address? {
        bytes.withUnsafeBytes { raw in
            guard let start = raw.baseAddress else { return nil }
            return SocketAddress.decode(start, length: UInt32(raw.count))
        }
    }

    /// What is written into a buffer of `room` bytes that stands in a larger one of 0x55.
    private func encode(_ address: slim_address, family: CInt, room: Int = 64) -> (bytes: [UInt8], length: UInt32) {
        var bytes = [UInt8](repeating: 0x55, count: 64)
        var length = UInt32(room)
        bytes.withUnsafeMutableBytes { raw in
            guard let start = raw.baseAddress else { return }
            SocketAddress.encode(address, family: family, into: start, length: &length)
        }
        return (bytes, length)
    }

    @Test(arguments: [(v4, SLIM_AF_INET), (v6, SLIM_AF_INET6), (mapped, SLIM_AF_INET6)])
    func `what is decoded is encoded the same`(bytes: [UInt8], family: CInt) throws {
        let address = try #require(decode(bytes))
        #expect(address.port == 4711)
        #expect(CInt(address.family) == family)
        let (written, length) = encode(address, family: family)
        #expect(length == UInt32(bytes.count))
        #expect(Array(written[..<bytes.count]) == bytes)
        #expect(written[bytes.count...].allSatisfy { $0 == 0x55 })
    }

    @Test func `an IPv4 address is shown v4-mapped on an IPv6 socket, and the other way round`() throws {
        let v4 = try #require(decode(Self.v4))
        #expect(Array(encode(v4, family: SLIM_AF_INET6).bytes[..<28]) == Self.mapped)
        let mapped = try #require(decode(Self.mapped))
        #expect(Array(encode(mapped, family: SLIM_AF_INET).bytes[..<16]) == Self.v4)
    }

    @Test(arguments: 0...28)
    func `a short buffer gets its part and the whole length`(room: Int) throws {
        let (written, length) = encode(try #require(decode(Self.v6)), family: SLIM_AF_INET6, room: room)
        #expect(length == 28)
        #expect(Array(written[..<room]) == Array(Self.v6[..<room]))
        #expect(written[room...].allSatisfy { $0 == 0x55 })
    }

    @Test func `short addresses and other families are none`() {
        #expect(decode(Array(Self.v4[..<15])) == nil)
        #expect(decode(Array(Self.v6[..<23])) == nil)
        #expect(decode([]) == nil)
        #expect(decode([1, 0] + [UInt8](repeating: 0, count: 30)) == nil)
        // Without its scope an IPv6 address is whole.
        #expect(decode(Array(Self.v6[..<24]))?.scope == 0)
    }

    @Test func `loopback and unspecified are told, also v4-mapped`() throws {
        func address(_ family: CInt, _ bytes: [UInt8]) -> slim_address {
            var result = slim_address()
            result.family = UInt16(family)
            withUnsafeMutableBytes(of: &result.bytes) { $0.copyBytes(from: bytes) }
            return result
        }
        let prefix = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        #expect(address(SLIM_AF_INET, [127, 9, 9, 9]).isLoopback)
        #expect(!address(SLIM_AF_INET, [10, 0, 0, 1]).isLoopback)
        #expect(address(SLIM_AF_INET6, prefix + [127, 0, 0, 1]).isLoopback)
        #expect(address(SLIM_AF_INET6, [UInt8](repeating: 0, count: 15) + [1]).isLoopback)
        #expect(!address(SLIM_AF_INET6, [1] + [UInt8](repeating: 0, count: 14) + [1]).isLoopback)
        #expect(address(SLIM_AF_INET, [0, 0, 0, 0]).isUnspecified)
        #expect(address(SLIM_AF_INET6, []).isUnspecified)
        #expect(address(SLIM_AF_INET6, prefix + [0, 0, 0, 0]).isUnspecified)
        #expect(!address(SLIM_AF_INET6, prefix + [0, 0, 0, 1]).isUnspecified)
    }

    @Test(arguments: [
        ([10, 32, 0, 0], 16, true), ([10, 33, 0, 0], 16, false), ([10, 32, 1, 2], 32, true),
        ([10, 32, 1, 3], 32, false), ([10, 32, 1, 3], 31, true), ([10, 32, 1, 4], 31, false),
        ([10, 32, 1, 0], 30, true), ([0, 0, 0, 0], 0, true),
        ([10, 40, 0, 0], 13, false), ([10, 40, 0, 0], 12, true),
    ])
    func `an address is inside a prefix or not`(bytes: [UInt8], length: UInt16, isInside: Bool) throws {
        var prefix = slim_prefix()
        prefix.family = UInt16(SLIM_AF_INET)
        prefix.length = length
        withUnsafeMutableBytes(of: &prefix.bytes) { $0.copyBytes(from: bytes) }
        #expect(try #require(decode(Self.v4)).isInside(prefix) == isInside)
        #expect(try #require(decode(Self.mapped)).isInside(prefix) == isInside)
        #expect(try !#require(decode(Self.v6)).isInside(prefix))
    }

    @Test func `IPv6 prefixes end anywhere`() throws {
        let address = try #require(decode(Self.v6))
        for length in 0...128 {
            var prefix = slim_prefix()
            prefix.family = UInt16(SLIM_AF_INET6)
            prefix.length = UInt16(length)
            withUnsafeMutableBytes(of: &prefix.bytes) { $0.copyBytes(from: Self.v6[8..<24]) }
            #expect(address.isInside(prefix))
            guard length > 0 else { continue }
            withUnsafeMutableBytes(of: &prefix.bytes) { $0[(length - 1) / 8] ^= 0x80 >> UInt8((length - 1) % 8) }
            #expect(!address.isInside(prefix), "/\(length)")
        }
    }
}
