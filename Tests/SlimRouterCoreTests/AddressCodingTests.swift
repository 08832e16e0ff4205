import CSlimABI
import SlimRegistry
import SlimSystem
import Testing

@testable import SlimRouterCore

struct AddressCodingTests {
    @Test(arguments: ["10.32.1.2", "0.0.0.0", "255.255.255.255", "fd00:32:0:1::2", "::", "ffff::ffff"])
    func `an endpoint survives the local protocol`(text: String) throws {
        let endpoint = Endpoint(try #require(IPAddress(text)), Port(0x1234))
        #expect(slim_address(endpoint).endpoint == endpoint)
    }

    @Test func `the bytes are in network order and the port in host order`() throws {
        let v4 = slim_address(Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(0x1234)))
        #expect(v4.family == 2)
        #expect(v4.port == 0x1234)
        #expect(v4.scope == 0)
        #expect(withUnsafeBytes(of: v4.bytes) { Array($0) } == [10, 32, 1, 2] + [UInt8](repeating: 0, count: 12))
        let v6 = slim_address(Endpoint(try #require(IPAddress("fd00:32::1:203")), Port(1)))
        #expect(v6.family == 10)
        #expect(
            withUnsafeBytes(of: v6.bytes) { Array($0) } == [0xfd, 0, 0, 0x32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3])
    }

    @Test func `a v4-mapped address is the IPv4 one`() throws {
        var address = slim_address()
        address.family = 10
        address.port = 80
        withUnsafeMutableBytes(of: &address.bytes) {
            $0.copyBytes(from: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 32, 1, 2])
        }
        #expect(address.endpoint == Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(80)))
    }

    @Test func `every other family is none`() {
        for family in UInt16.min...UInt16.max where family != 2 && family != 10 {
            var address = slim_address()
            address.family = family
            guard address.endpoint != nil else { continue }
            Issue.record("family \(family)")
        }
    }

    @Test(arguments: [
        (
            UInt64(1), "10.32.1.2", KernelAddress.Family.v4,
            "0000000000000001/0200500000000000" + "0a200102" + String(repeating: "0", count: 24)
        ),
        (.max, "fd00:32::2", .v6, "ffffffffffffffff/0a00500000000000" + "fd000032000000000000000000000002"),
        (255, "10.32.1.2", .v6, "00000000000000ff/0a00500000000000" + "00000000000000000000ffff0a200102"),
        (256, "0.0.0.0", .v4, "0000000000000100/0200500000000000" + String(repeating: "0", count: 32)),
    ]) func `a channel's name tells number, family, address and port`(
        id: UInt64, text: String, family: KernelAddress.Family, expected: String
    ) throws {
        let endpoint = Endpoint(try #require(IPAddress(text)), Port(80))
        let name = Engine.channelName(id: id, endpoint: endpoint, family: family)
        #expect(name == "slim-listener/" + expected)
        #expect(name.utf8.count == Int(SLIM_CHANNEL_NAME_LENGTH))
    }
}
