import Logging
import SlimJSON
import SlimPKI
import SlimRegistry
import Testing

@testable import SlimConfiguration

@Suite(.timeLimit(.minutes(1))) struct EmbeddedRegistryTests {
    private let directory: TemporaryDirectory
    private var configuration: RouterConfiguration
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        directory = try TemporaryDirectory()
        configuration = try RouterConfiguration.load(try directory.write(LoadTests.minimal, to: "router.conf"))
        configuration.peers = [
            Peer(
                name: "h2", address: try #require(IPAddress("192.0.2.2")),
                subnets: [try #require(Subnet("10.32.2.0/24"))])
        ]
        configuration.peersDirectory = directory.path
    }

    private func peer(_ number: Int, name: String? = nil) -> String {
        #"{"name": "\#(name ?? "h\(number)")", "address": "192.0.2.\#(number)", "subnets": ["10.32.\#(number).0/24"]}"#
    }

    @Test func `hosts of the file and of the directory are known, bad files ignored`() async throws {
        try directory.write(peer(3), to: "h3.json")
        try directory.write(peer(4, name: "h5"), to: "h4.json")
        try directory.write("{", to: "h6.json")
        try directory.write(peer(2, name: "h7"), to: "h7.json")
        try directory.write(peer(8), to: ".h8.json")
        let registry = try EmbeddedRegistry(configuration, logger: logger)
        let snapshot = await registry.snapshot()
        #expect(snapshot.hosts.map(\.name) == ["h2", "h3"])
        let problems = try EmbeddedRegistry.problems(of: configuration, file: "f")
        #expect(
            problems.map { $0.replacing(directory.path, with: "D") } == [
                "D/h4.json: name: \"h5\" is not the name of the file; call the file h5.json",
                "D/h6.json:1:2: expected a key in quotes; write \"key\": value, without a comma after the last one",
                "D/h7.json: address: 192.0.2.2 is the address of h2 already; give every host its own address",
            ])
    }

    @Test func `a change of the directory is told`() async throws {
        let registry = try EmbeddedRegistry(configuration, logger: logger)
        var changes = await registry.changes().makeAsyncIterator()
        try directory.write(peer(3), to: "h3.json")
        #expect(await changes.next()?.hosts.map(\.name) == ["h2", "h3"])
        try directory.write(peer(4), to: "h4.json")
        #expect(await changes.next()?.hosts.map(\.name) == ["h2", "h3", "h4"])
        // What h3 said before stands; what shows that the change was noticed is that h4 is gone.
        try directory.write("nonsense", to: "h3.json")
        try directory.remove("h4.json")
        #expect(await changes.next()?.hosts.map(\.name) == ["h2", "h3"])
        registry.stop()
        #expect(await changes.next() == nil)
    }

    @Test func `a directory that comes later is read then`() async throws {
        var configuration = configuration
        configuration.peersDirectory = "\(directory.path)/peers.d"
        let registry = try EmbeddedRegistry(configuration, logger: logger)
        var changes = await registry.changes().makeAsyncIterator()
        #expect(registry.current.hosts.map(\.name) == ["h2"])
        let made = try TemporaryDirectory()
        try made.write(peer(9), to: "h9.json")
        try directory.link("peers.d", to: made.path)
        #expect(await changes.next()?.hosts.map(\.name) == ["h2", "h9"])
    }

    @Test func `a pinned certificate becomes a fingerprint, a missing one an error`() throws {
        try PKI.createAuthority(in: directory.path)
        try PKI.issue(host: "h2", directory: directory.path)
        var configuration = configuration
        configuration.peers[0].certificate = "\(directory.path)/h2.crt"
        let registry = try EmbeddedRegistry(configuration, logger: logger)
        #expect(
            registry.current.host(named: "h2")?.certificateFingerprint
                == (try PKI.fingerprint("\(directory.path)/h2.crt")))
        configuration.peers[0].certificate = "\(directory.path)/none.crt"
        let error = try #require(throws: ConfigurationError.self) {
            try EmbeddedRegistry(configuration, file: "router.json", logger: logger)
        }
        #expect(
            error.description.hasPrefix("router.json: peers[0].certificate: \(directory.path)/none.crt"), "\(error)")
    }
}
