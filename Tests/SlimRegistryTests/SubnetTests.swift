import SlimRegistry
import Testing

struct SubnetTests {
    @Test(arguments: [
        "10.32.1.0/24", "0.0.0.0/0", "10.32.1.2/32", "fd00:32::/48", "::/0", "fd00:32::1/128", "10.32.1.128/25",
        "8000::/1",
    ])
    func `CIDR text is read and written alike`(text: String) { #expect(Subnet(text)?.description == text) }

    @Test(arguments: [
        "", "/", "10.32.1.0", "10.32.1.0/", "/24", "10.32.1.0/33", "10.32.1.0/-1", "10.32.1.0/+24", "10.32.1.1/24",
        "10.32.1.0/24/", "10.32.1.0//24",
        "10.32.1.0/24 ", "fd00::/129", "fd00::1/64", "10.32.1.0/99999999999999999999", "10.32.1.0/\u{662}\u{664}",
        "x/24", "0.0.0.1/0", "10.32.1.0/2 4",
    ]) func `what is no subnet, or has host bits, is refused`(text: String) { #expect(Subnet(text) == nil) }

    @Test(arguments: [
        ("10.32.1.0/24", "10.32.1.0", true), ("10.32.1.0/24", "10.32.1.255", true),
        ("10.32.1.0/24", "10.32.2.0", false),
        ("10.32.1.0/24", "10.32.0.255", false), ("0.0.0.0/0", "255.255.255.255", true), ("0.0.0.0/0", "::", false),
        ("::/0", "ffff::", true), ("::/0", "1.2.3.4", false), ("fd00:32:0:1::/64", "fd00:32:0:1:ffff::1", true),
        ("fd00:32:0:1::/64", "fd00:32:0:2::", false), ("fd00::8000:0:0:0/65", "fd00::7fff:0:0:0", false),
        ("10.32.1.2/32", "10.32.1.2", true),
        ("10.32.1.2/32", "10.32.1.3", false), ("a20::/16", "10.32.0.0", false),
    ]) func `a subnet contains its addresses alone`(subnet: String, address: String, contains: Bool) throws {
        #expect(try #require(Subnet(subnet)).contains(try #require(IPAddress(address))) == contains)
    }

    @Test(arguments: [
        ("10.32.0.0/16", "10.32.1.0/24", true), ("10.32.1.0/24", "10.32.1.0/24", true),
        ("10.32.1.0/24", "10.32.2.0/24", false),
        ("0.0.0.0/0", "10.0.0.0/8", true), ("0.0.0.0/0", "::/0", false), ("fd00:32::/48", "fd00:32:0:1::/64", true),
        ("10.32.1.0/25", "10.32.1.128/25", false),
    ]) func `overlap is mutual`(one: String, other: String, overlaps: Bool) throws {
        let (one, other) = (try #require(Subnet(one)), try #require(Subnet(other)))
        #expect(one.overlaps(other) == overlaps)
        #expect(other.overlaps(one) == overlaps)
    }

    @Test(
        arguments: [
            ("10.32.1.0/24", UInt64(1), "10.32.1.1"), ("10.32.1.0/24", 255, "10.32.1.255"), ("10.32.1.0/24", 256, nil),
            ("10.32.1.0/24", .max, nil),
            ("255.255.255.0/24", 256, nil), ("0.0.0.0/0", UInt64(UInt32.max), "255.255.255.255"),
            ("0.0.0.0/0", 1 << 32, nil),
            ("fd00:32:0:1::/64", .max, "fd00:32:0:1:ffff:ffff:ffff:ffff"),
            ("fd00:32:0:1::/112", 65_535, "fd00:32:0:1::ffff"), ("fd00:32:0:1::/112", 65_536, nil),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120", 256, nil), ("::/0", 1, "::1"),
        ] as [(String, UInt64, String?)]) func `an offset leads to an address within, or nowhere`(
            subnet: String, offset: UInt64, expected: String?
        ) throws
    {
        #expect(try #require(Subnet(subnet)).address(at: offset)?.description == expected)
    }
}
