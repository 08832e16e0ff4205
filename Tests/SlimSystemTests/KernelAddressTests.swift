import Glibc
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

@testable import SlimSystem

struct KernelAddressTests {
    private static func bytes(_ address: KernelAddress) -> [UInt8] {
        address.withPointer { pointer, length in
            Array(UnsafeRawBufferPointer(start: pointer, count: Int(length)))
        }
    }

    @Test func `an IPv4 address is a sockaddr_in`() throws {
        let endpoint = Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(0x1f90))
        let address = try #require(KernelAddress(endpoint, for: .v4))
        #expect(Self.bytes(address) == [2, 0, 0x1f, 0x90, 10, 32, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(address.endpoint == endpoint)
        #expect(address.family == .v4)
    }

    @Test func `an IPv6 address is a sockaddr_in6`() throws {
        let endpoint = Endpoint(try #require(IPAddress("fd00:32::7")), Port(443))
        let address = try #require(KernelAddress(endpoint, for: .v6))
        #expect(
            Self.bytes(address) == [
                10, 0, 1, 0xbb, 0, 0, 0, 0, 0xfd, 0, 0, 0x32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0,
            ])
        #expect(address.endpoint == endpoint)
        #expect(KernelAddress(endpoint, for: .v4) == nil)
    }

    @Test func `for an IPv6 socket an IPv4 address is mapped, and comes back as it was`() throws {
        let endpoint = Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(80))
        let address = try #require(KernelAddress(endpoint, for: .v6))
        #expect(Array(Self.bytes(address)[8..<24]) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 32, 1, 2])
        #expect(address.family == .v6)
        #expect(address.endpoint == endpoint)
    }

    @Test func `the IPv4 wildcard is the IPv6 wildcard of an IPv6 socket`() throws {
        let address = try #require(KernelAddress(Endpoint(.anyV4, Port(0)), for: .v6))
        #expect(address.endpoint?.address == .anyV6)
    }

    @Test func `an empty address has no family and no endpoint`() {
        #expect(KernelAddress().family == nil)
        #expect(KernelAddress().endpoint == nil)
    }

    @Test(arguments: [("127.0.0.1", KernelAddress.Family.v4), ("::1", .v6), ("127.0.0.1", .v6)])
    func `the kernel takes and gives it`(text: String, family: KernelAddress.Family) throws {
        let address = try #require(IPAddress(text))
        let listener = try StreamSocket.open(family, nonblocking: true)
        try StreamSocket.bind(listener.raw, to: try #require(KernelAddress(Endpoint(address, Port(0)), for: family)))
        try StreamSocket.listen(listener.raw, backlog: 1)
        #expect(StreamSocket.isListening(listener.raw))
        let bound = try #require(try StreamSocket.localAddress(listener.raw).endpoint)
        #expect(bound.address == address)
        #expect(bound.port.rawValue != 0)
        let client = try StreamSocket.open(family, nonblocking: false)
        try StreamSocket.connect(client.raw, to: try #require(KernelAddress(bound, for: family)))
        var peer = KernelAddress()
        let server = try unwrapped(try StreamSocket.accept(listener.raw, peer: &peer))
        #expect(peer.endpoint == (try StreamSocket.localAddress(client.raw).endpoint))
        #expect(try StreamSocket.localAddress(server.raw).endpoint == bound)
        #expect(StreamSocket.family(server.raw) == family)
    }
}
