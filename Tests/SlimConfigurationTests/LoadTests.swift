import FoundationEssentials
import SlimJSON
import SlimRegistry
import Testing

@testable import SlimConfiguration

@Suite struct LoadTests {
    /// Of the folder that holds Package.swift.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let minimal = """
        {
          "name": "h1",
          "underlay": {"address": "192.0.2.1"},
          "overlay": {"subnets": ["10.32.1.0/24", "fd00:32:0:1::/64"]},
          "pki": {"authority": "/p/ca.crt", "certificate": "/p/h1.crt", "key": "/p/h1.key"}
        }
        """

    private func load(_ text: String) throws -> RouterConfiguration {
        let directory = try TemporaryDirectory()
        return try RouterConfiguration.load(try directory.write(text, to: "router.json"))
    }

    @Test func `what is left out has its default`() throws {
        let configuration = try load(Self.minimal)
        #expect(configuration.name == "h1")
        #expect(configuration.underlay.address.description == "192.0.2.1")
        #expect(configuration.overlay.prefixes.map(\.description) == ["10.32.0.0/16", "fd00:32::/48"])
        #expect(configuration.overlay.subnets.map(\.description) == ["10.32.1.0/24", "fd00:32:0:1::/64"])
        #expect(configuration.overlay.bridge == "slim0")
        #expect(configuration.overlay.vxlan == "slim-vx")
        #expect(configuration.overlay.vxlanID == 32)
        #expect(configuration.overlay.vxlanPort == Port(4789))
        #expect(configuration.overlay.mtu == nil)
        #expect(configuration.ports == Ports())
        #expect(configuration.ports.data.description == "4800-4807")
        #expect(configuration.peers.isEmpty)
        #expect(configuration.peersDirectory == nil)
        #expect(configuration.adminSocket == "/run/slim/admin.sock")
        #expect(configuration.limits == Limits())
        #expect(configuration.log == LogSettings())
    }

    @Test func `the example loads`() throws {
        let configuration = try RouterConfiguration.load("\(Self.root)/docs/router.example.json")
        #expect(configuration.peers.map(\.name) == ["h2"])
    }

    @Test func `what is written is read again`() throws {
        let directory = try TemporaryDirectory()
        var configuration = try load(Self.minimal)
        configuration.overlay.mtu = 1400
        configuration.peersDirectory = "/etc/slim/peers.d"
        configuration.ports = Ports(control: Port(5000), data: PortRange(first: Port(65535), count: 1))
        configuration.limits.connections = 7
        configuration.log = LogSettings(level: .debug, format: .json)
        configuration.peers = [
            Peer(
                name: "h2", address: try #require(IPAddress("192.0.2.2")),
                subnets: [try #require(Subnet("10.32.2.0/24"))],
                certificate: "/p/h2.crt")
        ]
        try configuration.write(to: "\(directory.path)/router.json")
        #expect(try RouterConfiguration.load("\(directory.path)/router.json") == configuration)
    }

    /// Replaces a part of the minimal file, loads it, and expects one line.
    @Test(arguments: [
        ("\"name\": \"h1\"", "\"nam\": \"h1\"", ": unknown key \"nam\"; did you mean \"name\"?"),
        ("\"name\": \"h1\"", "\"colour\": 1", ": unknown key \"colour\"; known here: name, underlay,"),
        ("\"name\": \"h1\"", "\"name\": 7", ": name: is a number; write a string"),
        ("\"name\": \"h1\"", "\"name\": \"h\\n1\"", ": name: \"h\\u{a}1\" is not the name of a host; write"),
        (
            "\"name\": \"h1\"", "\"name\": \"h1\", \"name\": \"h1\"",
            ":2:17: the key \"name\" stands twice in one object; remove"
        ),
        ("\"name\": \"h1\",", "", ": the key \"name\" is missing; add it"),
        ("{\"address\": \"192.0.2.1\"}", "{}", ": underlay: the key \"address\" is missing; add it"),
        ("{\"address\": \"192.0.2.1\"}", "[]", ": underlay: is an array; write an object"),
        ("192.0.2.1", "192.0.2.256", ": underlay.address: \"192.0.2.256\" is not an IP address; write"),
        ("192.0.2.1", "224.0.0.1", ": underlay.address: 224.0.0.1 cannot be the address of a host; write"),
        ("192.0.2.1", "10.32.0.1", ": underlay.address: 10.32.0.1 lies in the overlay's prefix 10.32.0.0/16; choose"),
        (
            "10.32.1.0/24", "10.32.1.7/24",
            ": overlay.subnets[0]: \"10.32.1.7/24\" has bits set beyond the prefix; write 10.32.1.0/24"
        ),
        (
            "10.32.1.0/24", "10.32.1.0/33",
            ": overlay.subnets[0]: \"10.32.1.0/33\" is not a subnet in CIDR notation; write"
        ),
        ("10.32.1.0/24", "10.32.1.0/31", ": overlay.subnets[0]: 10.32.1.0/31 has no room"),
        ("10.32.1.0/24", "10.33.1.0/24", ": overlay.subnets[0]: 10.33.1.0/24 lies outside the overlay's prefixes"),
        ("10.32.1.0/24", "10.0.0.0/8", ": overlay.subnets[0]: 10.0.0.0/8 lies outside the overlay's prefixes"),
        ("\"fd00:32:0:1::/64\"", "\"10.32.9.0/24\"", ": overlay.subnets[1]: 10.32.9.0/24 beside 10.32.1.0/24; give"),
        ("\"fd00:32:0:1::/64\"", "5", ": overlay.subnets[1]: is a number; write a string"),
        ("\"/p/ca.crt\"", "\"ca.crt\"", ": pki.authority: \"ca.crt\" is not an absolute path; write"),
        (
            "\"name\": \"h1\"", "\"name\": \"h1\", \"ports\": {\"control\": 4805}",
            ": ports: the control port 4805 is one of the data ports 4800-4807; move"
        ),
        (
            "\"name\": \"h1\"", "\"name\": \"h1\", \"ports\": {\"control\": 65536}",
            ": ports.control: 65536 is out of range; write an integer from 1 to 65535"
        ),
        (
            "\"name\": \"h1\"", "\"name\": \"h1\", \"ports\": {\"data\": {\"first\": 65530}}",
            ": ports.data: 8 ports from 65530 end beyond 65535; start"
        ),
        (
            "\"name\": \"h1\"", "\"name\": \"h1\", \"limits\": {\"connections\": 1.5}",
            ": limits.connections: 1.5 is out of range; write"
        ),
        (
            "\"name\": \"h1\"", "\"name\": \"h1\", \"log\": {\"level\": \"loud\"}",
            ": log.level: \"loud\" is not a choice here; write one of: trace, debug"
        ),
        (
            "\"name\": \"h1\"", "\"name\": \"h1\", \"directory\": \"run\"",
            ": directory: \"run\" is not an absolute path; write"
        ),
        (
            "\"subnets\"", "\"bridge\": \"a/b\", \"subnets\"",
            ": overlay.bridge: \"a/b\" is not the name of an interface; write"
        ),
        (
            "\"subnets\"", "\"bridge\": \"x\", \"vxlan\": \"x\", \"subnets\"",
            ": overlay.vxlan: the bridge and the VXLAN device have the same name; choose"
        ),
        ("\"h1\",", "\"h1\"", ":3:3: expected a comma or the end of the object; insert"),
        ("\"h1\",", "\"h1,", ":2:15: a control character or line end within a string; close"),
        ("\"h1\",", "h1,", ":2:11: expected a value; strings are quoted"),
    ])
    func `a mistake is one line that says what, where and how to mend it`(
        part: String, replacement: String, message: String
    ) throws {
        let directory = try TemporaryDirectory()
        let text = Self.minimal.replacing(part, with: replacement, maxReplacements: 1)
        let file = try directory.write(text, to: "router.json")
        let error = try #require(throws: ConfigurationError.self) { try RouterConfiguration.load(file) }
        #expect(error.description.hasPrefix(file + ":") && error.description.contains(message), "\(error)")
        #expect(!error.description.contains("\n"))
        #expect(error.description.contains("; "))
    }

    @Test(arguments: [
        (
            #"{"name": "h1", "address": "192.0.2.2", "subnets": ["10.32.2.0/24"]}"#,
            "peers[0].name: \"h1\" is this host's own name; "
        ),
        (
            #"{"name": "h2", "address": "192.0.2.1", "subnets": ["10.32.2.0/24"]}"#,
            "peers[0].address: 192.0.2.1 is the address of h1 already; "
        ),
        (
            #"{"name": "h2", "address": "2001:db8::2", "subnets": ["10.32.2.0/24"]}"#,
            "peers[0].address: 2001:db8::2 and this host's 192.0.2.1 are of different families; "
        ),
        (
            #"{"name": "h2", "address": "192.0.2.2", "subnets": ["10.32.1.128/25"]}"#,
            "peers[0].subnets[0]: 10.32.1.128/25 overlaps 10.32.1.0/24 of h1; "
        ),
        (
            #"{"name": "h2", "address": "192.0.2.2", "subnets": ["10.0.2.0/24"]}"#,
            "peers[0].subnets[0]: 10.0.2.0/24 lies outside the overlay's prefixes 10.32.0.0/16, fd00:32::/48; "
        ),
        (
            #"{"name": "h2", "address": "192.0.2.2", "subnets": ["10.32.2.0/24"]}, {"name": "h2", "address": "192.0.2.3", "subnets": ["10.32.3.0/24"]}"#,
            "peers[1].name: \"h2\" is named twice; "
        ),
        (
            #"{"name": "h2", "address": "192.0.2.2", "subnets": ["10.32.2.0/24"]}, {"name": "h3", "address": "192.0.2.3", "subnets": ["10.32.2.0/23"]}"#,
            "peers[1].subnets[0]: 10.32.2.0/23 overlaps 10.32.2.0/24 of h2; "
        ),
        (#"{"name": "h2", "subnets": ["10.32.2.0/24"]}"#, "peers[0]: the key \"address\" is missing; "),
    ])
    func `peers that contradict the host or each other are refused`(peers: String, message: String) throws {
        let text = Self.minimal.replacing("\"name\": \"h1\",", with: "\"name\": \"h1\", \"peers\": [\(peers)],")
        let error = try #require(throws: ConfigurationError.self) { try load(text) }
        #expect(error.description.contains(": " + message), "\(error)")
    }

    @Test func `a file that is missing, a directory or too large is refused`() throws {
        let directory = try TemporaryDirectory()
        let large = try directory.write(String(repeating: " ", count: 1 << 20 + 1), to: "large.json")
        for (file, problem) in [
            ("\(directory.path)/none.json", "no such file; "), (directory.path, "is a directory; "),
            (large, "larger than 1 MiB; "),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try RouterConfiguration.load(file) }
            #expect(error.description.hasPrefix("\(file): \(problem)"), "\(error)")
        }
    }
}
