import SlimRegistry
import Testing

@testable import SlimRouterCore

struct HostTableTests {
    private static func host(_ name: String, _ subnets: String...) -> HostRecord {
        HostRecord(name: name, underlay: .anyV4, subnets: subnets.compactMap { Subnet($0) })
    }

    @Test func `an address belongs to the host whose subnet holds it`() throws {
        let table = HostTable([
            Self.host("a", "10.32.1.0/24", "fd00:32:0:1::/64"), Self.host("b", "10.32.2.0/23", "fd00:32:0:2::/63"),
            Self.host("c", "10.32.4.128/25"), Self.host("d", "10.32.4.7/32", "fd00:33::5/128"),
        ])
        let expected = [
            "10.32.1.0": "a", "10.32.1.255": "a", "10.32.2.0": "b", "10.32.3.255": "b", "10.32.4.128": "c",
            "10.32.4.255": "c", "10.32.4.7": "d", "fd00:32:0:1::": "a", "fd00:32:0:1:ffff:ffff:ffff:ffff": "a",
            "fd00:32:0:2::1": "b", "fd00:32:0:3::1": "b", "fd00:33::5": "d",
        ]
        for (text, owner) in expected { #expect(table.owner(of: try #require(IPAddress(text))) == owner, "\(text)") }
        for text in [
            "10.32.0.255", "10.32.4.127", "10.32.4.6", "10.32.5.0", "0.0.0.0", "fd00:32::1", "fd00:33::4", "::",
        ] {
            #expect(table.owner(of: try #require(IPAddress(text))) == nil, "\(text)")
        }
    }

    @Test func `the families are kept apart`() throws {
        // The first bits of an IPv4 subnet are those of an IPv6 one as well.
        let table = HostTable([Self.host("six", "a20::/16")])
        #expect(table.owner(of: IPAddress(v4: (10, 32, 0, 0))) == nil)
        #expect(table.owner(of: try #require(IPAddress("a20::9"))) == "six")
    }

    @Test func `an empty table owns nothing`() { #expect(HostTable().owner(of: .anyV4) == nil) }
}
