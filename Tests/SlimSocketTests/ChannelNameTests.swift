import CSlimABI
import CSlimSocket
import Testing

@testable import SlimSocket

@Suite struct ChannelNameTests {
    /// A socket address as `getpeername` gives it: AF_UNIX, NUL, the name.
    private func address(in name: String) -> slim_address? {
        let bytes: [UInt8] = [1, 0, 0] + Array(name.utf8)
        return bytes.withUnsafeBytes { Channel.address(in: $0[...]) }
    }

    private static let listener: slim_address = {
        var address = slim_address()
        address.family = UInt16(SLIM_AF_INET)
        address.port = 8080
        address.bytes.0 = 10
        address.bytes.1 = 32
        address.bytes.2 = 0xfe
        address.bytes.3 = 9
        return address
    }()

    private func name(_ number: UInt64) -> String {
        var bytes = slim_bytes()
        return withUnsafeMutableBytes(of: &bytes) { raw in
            Channel.write(number: number, Self.listener, into: raw)
            return String(decoding: raw[..<Int(SLIM_CHANNEL_NAME_LENGTH)], as: UTF8.self)
        }
    }

    @Test func `a name has the number and the address in hexadecimal`() {
        #expect(
            name(0x0123_4567_89ab_cdef)
                == "slim-listener/0123456789abcdef/0200901f000000000a20fe09000000000000000000000000")
    }

    @Test(arguments: [0, 1, UInt64.max])
    func `what is written is read`(number: UInt64) throws {
        let found = try #require(address(in: name(number)))
        #expect(found.port == 8080)
        #expect(CInt(found.family) == SLIM_AF_INET)
        #expect(found.bytes.0 == 10 && found.bytes.1 == 32 && found.bytes.2 == 0xfe && found.bytes.3 == 9)
    }

    @Test func `other names are no channel's`() {
        let good = name(7)
        #expect(address(in: good) != nil)
        #expect(address(in: "") == nil)
        #expect(address(in: String(good.dropLast())) == nil)
        #expect(address(in: good + "0") == nil)
        #expect(address(in: "Slim" + good.dropFirst(4)) == nil)
        #expect(address(in: good.dropLast() + "g") == nil)
        #expect(address(in: good.dropLast() + "A") == nil)
        // Neither is a path of the same length, nor a socket of another family.
        let path: [UInt8] = [1, 0, 47] + Array(good.utf8)
        #expect(path.withUnsafeBytes { Channel.address(in: $0[...]) } == nil)
        let other: [UInt8] = [2, 0, 0] + Array(good.utf8)
        #expect(other.withUnsafeBytes { Channel.address(in: $0[...]) } == nil)
    }
}
