import SlimRegistry
import Testing

struct EndpointTests {
    @Test func `an IPv6 address stands in brackets`() throws {
        #expect(Endpoint(IPAddress(v4: (10, 32, 1, 2)), Port(80)).description == "10.32.1.2:80")
        #expect(
            Endpoint(try #require(IPAddress("fd00:32:0:1::2")), Port(65_535)).description == "[fd00:32:0:1::2]:65535")
        #expect(Endpoint(.anyV6, Port(0)).description == "[::]:0")
    }

    @Test func `endpoints differ by address and port`() {
        let one = Endpoint(.anyV4, Port(1))
        #expect(Set([one, Endpoint(.anyV4, Port(2)), Endpoint(.anyV6, Port(1)), one]).count == 3)
        #expect(Port(1) < Port(2))
    }
}

struct RegistrySnapshotTests {
    private static let hosts = ["10.32.1.0/24", "10.32.2.0/24"].enumerated().map { index, subnet in
        HostRecord(name: "h\(index + 1)", underlay: .anyV4, subnets: [subnet].compactMap { Subnet($0) })
    }

    @Test func `an address belongs to one host, or to none`() {
        let snapshot = RegistrySnapshot(hosts: Self.hosts)
        #expect(snapshot.owner(of: IPAddress(v4: (10, 32, 2, 9)))?.name == "h2")
        #expect(snapshot.owner(of: IPAddress(v4: (10, 32, 3, 9))) == nil)
        #expect(snapshot.host(named: "h1") == Self.hosts[0])
        #expect(snapshot.host(named: "h3") == nil)
    }
}
