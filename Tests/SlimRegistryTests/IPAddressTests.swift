import SlimRegistry
import Testing

struct IPAddressTests {
    @Test(arguments: ["0.0.0.0", "10.32.1.2", "255.255.255.255", "127.0.0.1", "1.2.3.4"])
    func `IPv4 text is read and written alike`(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.family == .v4)
        #expect(address.description == text)
        #expect(address.bytes.map(String.init).joined(separator: ".") == text)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    /// RFC 5952, sections 4 and 5.
    @Test(arguments: [
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),  // 4.2.1: the run of zeroes as long as it is
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  // 4.2.2: not for a single group
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  // 4.2.3: the longest run
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  // 4.2.3: the first of equals
        ("2001:0DB8:00a0::0A0F", "2001:db8:a0::a0f"),  // 4.1, 4.3: no leading zeroes, lower case
        ("0:0:0:0:0:0:0:0", "::"), ("0:0:0:0:0:0:0:1", "::1"), ("1:0:0:0:0:0:0:0", "1::"),
        ("fe80:0:0:0:0:0:0:1", "fe80::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("1::8", "1::8"),
        ("0:0:1:0:0:0:1:0", "0:0:1::1:0"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ]) func `IPv6 text is written as RFC 5952 has it`(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.family == .v6)
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test func `a v4-mapped address is the IPv4 one, a v4-compatible address is not`() {
        #expect(IPAddress("::ffff:10.32.1.2")?.description == "10.32.1.2")
        #expect(IPAddress("::ffff:a20:102") == IPAddress(v4: (10, 32, 1, 2)))
        #expect(IPAddress("::10.32.1.2")?.description == "::a20:102")
        #expect(IPAddress("::ffff:0:10.32.1.2")?.family == .v6)
    }

    @Test(arguments: [
        "", " ", ".", "...", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "01.2.3.4",
        "1.2.3.-4", "1.2.3.+4",
        "1.2.3.4 ", " 1.2.3.4", "1.2.3.0x4", "1.2.3.1000", "1.2..4", "1.2.3.4/24", "1.2.3.4:80", "a.b.c.d",
        "1.2.3.\u{664}",
        ":", ":::", "1::2::3", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::", "12345::", "g::", "1:-2::", "1:+2::", "fe80::1%eth0", "[::1]", "::1/64", "1.2.3.4::",
        "::1.2.3.4:5", "::1.2.3", "::1.2.3.256",
        "1:2:3:4:5:6:7:1.2.3.4", "localhost", "\u{0}", "::\u{0}", "1.2.3.4\n", "::1\n", "\u{ff11}.2.3.4", "::\u{ff11}",
    ]) func `what is no address is refused`(text: String) { #expect(IPAddress(text) == nil) }

    @Test func `long garbage is refused`() {
        #expect(IPAddress(String(repeating: "1:", count: 100_000)) == nil)
        #expect(IPAddress(String(repeating: "1.", count: 100_000)) == nil)
        #expect(IPAddress("::" + String(repeating: "f", count: 100_000)) == nil)
    }

    @Test func `only 4 or 16 bytes make an address`() {
        for count in 0...20 where count != 4 && count != 16 {
            #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
        }
    }

    @Test func `what an address is for is told`() throws {
        for text in ["127.0.0.1", "127.255.255.255", "::1"] { #expect(try #require(IPAddress(text)).isLoopback) }
        for text in ["126.0.0.1", "128.0.0.1", "::", "::2", "1::1"] {
            #expect(try !#require(IPAddress(text)).isLoopback)
        }
        #expect(IPAddress.anyV4.isUnspecified && IPAddress.anyV6.isUnspecified)
        #expect(IPAddress.anyV4 != IPAddress.anyV6)
        #expect(try !#require(IPAddress("::1")).isUnspecified)
    }

    @Test func `order is by family, then by number`() throws {
        let texts = ["0.0.0.0", "9.255.255.255", "10.0.0.0", "255.255.255.255", "::", "::1", "1::", "ffff::"]
        let addresses = try texts.map { try #require(IPAddress($0)) }
        #expect(addresses.shuffled().sorted() == addresses)
    }

    @Test(arguments: [
        ("10.32.1.255", 0, "0.0.0.0"), ("10.32.1.255", 8, "10.0.0.0"), ("10.32.1.255", 25, "10.32.1.128"),
        ("10.32.1.255", 32, "10.32.1.255"), ("ffff::ffff", 0, "::"), ("ffff::ffff", 1, "8000::"),
        ("ffff::ffff", 64, "ffff::"),
        ("1:2:3:4:ffff::", 65, "1:2:3:4:8000::"), ("ffff::ffff", 128, "ffff::ffff"),
    ]) func `masking keeps the first bits`(text: String, length: Int, expected: String) throws {
        #expect(try #require(IPAddress(text)).masked(to: length).description == expected)
    }
}
