import FoundationEssentials
import SlimControl
import SlimPKI
import SlimRegistry
import Testing

@Suite(.timeLimit(.minutes(1))) struct StartTests {
    let cluster: Cluster

    init() throws { cluster = try Cluster() }

    private func failure(_ configuration: ControlConfiguration) async -> ControlError? {
        let router = TestRouter(configuration)
        do {
            try await router.plane.start()
            await router.plane.stop()
            return nil
        } catch { return error }
    }

    @Test func `a port in use is named`() async throws {
        let router = try await cluster.start("h1", peers: [])
        let error = await failure(try cluster.configuration("h1"))
        #expect(error?.code == .addressInUse)
        #expect(error?.description.contains("control port \(cluster.address("h1")):4799 is in use") == true)
        await router.plane.stop()
        #expect(await failure(try cluster.configuration("h1")) == nil)
    }

    @Test func `an address of another host is named`() async throws {
        let error = await failure(try cluster.configuration("h1", at: IPAddress(v4: (192, 0, 2, 77))))
        #expect(error?.code == .addressUnavailable)
        #expect(error?.description.contains("192.0.2.77") == true)
        #expect(error?.description.contains("underlay.address") == true)
    }

    @Test(arguments: ["h1.crt", "h1.key", "ca.crt"]) func `a missing file is named`(file: String) async throws {
        let configuration = try cluster.configuration("h1")
        try FileManager.default.removeItem(atPath: cluster.path(file))
        let error = await failure(configuration)
        #expect(error?.code == .credentials)
        #expect(
            error?.description.hasPrefix(cluster.path(file) + ": cannot be read (No such file or directory); ") == true)
        #expect(error?.description.contains("slimctl pki") == true)
    }

    @Test func `a certificate of another authority or host is named`() async throws {
        let other = try Cluster()
        try other.issue("h1")
        try cluster.issue("h1")
        let make = { (name: String, authority: String) in
            ControlConfiguration(
                name: name, listenAddress: cluster.address("h1"), port: Cluster.port,
                certificatePath: cluster.path("h1.crt"),
                keyPath: cluster.path("h1.key"), authorityPath: authority)
        }
        let foreign = await failure(make("h1", other.path("ca.crt")))
        #expect(foreign?.description.contains("is not signed by the authority in") == true)
        let wrong = await failure(make("h2", cluster.path("ca.crt")))
        #expect(wrong?.description.contains("is for h1, not for h2") == true)
    }

    @Test func `starting twice is refused, stopping twice is not`() async throws {
        let router = try await cluster.start("h1", peers: [])
        let error = await #expect(throws: ControlError.self) { try await router.plane.start() }
        #expect(error?.code == .alreadyRunning)
        await router.plane.stop()
        await router.plane.stop()
        #expect(router.plane.listeningPort == nil)
    }

    @Test func `with port 0 the kernel chooses`() async throws {
        let router = TestRouter(try cluster.configuration("h1", port: Port(0)))
        try await router.plane.start()
        #expect(router.plane.listeningPort.map { $0.rawValue > 0 } == true)
        await router.plane.stop()
    }

    @Test func `an expired certificate is logged and does not keep a router from starting`() async throws {
        try PKI.issue(host: "h1", directory: cluster.directory, validFor: .seconds(1))
        while try !PKI.inspect(cluster.path("h1.crt")).isExpired() { try await Task.sleep(for: .milliseconds(50)) }
        let router = try await cluster.start("h1", peers: [])
        try await router.waitForLog("h1.crt: expired on ")
        await router.plane.stop()
    }

    @Test func `a certificate that expires while a router runs is logged`() async throws {
        try PKI.issue(host: "h1", directory: cluster.directory, validFor: .seconds(1))
        var timings = ControlTimings()
        timings.expiryCheck = .milliseconds(50)
        let router = TestRouter(try cluster.configuration("h1", timings: timings))
        try await router.plane.start()
        try await router.waitForLog("h1.crt: expired on ")
        await router.plane.stop()
    }
}
