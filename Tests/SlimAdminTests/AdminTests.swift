import FoundationEssentials
import Logging
import Testing

@testable import SlimAdmin

@Suite(.timeLimit(.minutes(1))) struct AdminTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a server on a socket of its own and stops it.
    private func serving(_ body: (String, AdminClient) async throws -> Void) async throws {
        let directory = "/tmp/slim-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = "\(directory)/admin.sock"
        let server = AdminServer(path: path, backend: FakeRouter(), logger: logger)
        try await server.start()
        let result: Result<Void, any Error>
        do { result = .success(try await body(path, AdminClient(socketPath: path))) } catch { result = .failure(error) }
        await server.stop()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        try FileManager.default.removeItem(atPath: directory)
        try result.get()
    }

    @Test func `reports arrive as they were given`() async throws {
        try await serving { (_, client) async throws in
            #expect(try await client.status() == FakeRouter().status())
            #expect(try await client.hosts() == FakeRouter().hosts())
            #expect(try await client.listeners() == FakeRouter().listeners())
            #expect(try await client.containers() == [])
        }
    }

    @Test func `what is asked about the policy is answered`() async throws {
        try await serving { (_, client) async throws in
            let router = FakeRouter()
            #expect(try await client.policy() == router.policy())
            let request = PolicyRequest(file: "/tmp/policy.json")
            #expect(try await client.reloadPolicy(request) == router.reloadPolicy(request))
            #expect(try await client.diffPolicy(request) == router.diffPolicy(request))
            #expect(
                await failure { _ = try await client.reloadPolicy(PolicyRequest(file: "policy.json")) }
                    == AdminError(.badRequest, "file: not an absolute path"))
            let question = ExplainRequest(from: "web", to: "db", port: 5432, protocol: "tcp")
            #expect(try await client.explain(question) == router.explain(question))
        }
    }

    @Test func `labels are set and removed`() async throws {
        try await serving { (_, client) async throws in
            _ = try await client.attach(
                AttachRequest(name: "c1", netns: "/run/netns/c1", labels: ["app": "web", "tier": "front"]))
            let report = try await client.relabel(
                "c1", RelabelRequest(set: ["app": "api", "x": "y"], remove: ["tier"]))
            #expect(report.labels == ["app": "api", "x": "y"])
        }
    }

    @Test func `a container is attached, listed and detached`() async throws {
        try await serving { (_, client) async throws in
            let report = try await client.attach(
                AttachRequest(name: "c1", netns: "/run/netns/c1", labels: ["app": "web"], ipv4: "10.32.1.9"))
            #expect(report.ipv4 == "10.32.1.9")
            #expect(report.labels == ["app": "web"])
            #expect(try await client.containers() == [report])
            try await client.detach("c1")
            #expect(try await client.containers() == [])
        }
    }

    @Test func `what the router says against it arrives with its class`() async throws {
        try await serving { (_, client) async throws in
            let request = AttachRequest(name: "c1", netns: "/run/netns/c1")
            _ = try await client.attach(request)
            #expect(
                await failure { _ = try await client.attach(request) }
                    == AdminError(.conflict, "c1: is attached already"))
            #expect(await failure { try await client.detach("c2") } == AdminError(.notFound, "no container c2"))
            #expect(await failure { _ = try await client.connections() } == AdminError(.internalError, "unforeseen"))
        }
    }

    @Test(arguments: ["", "-a", "a/b", "a b", "..", String(repeating: "a", count: 64), "a\n"])
    func `a name that cannot be one is refused before it is sent`(name: String) async {
        let client = AdminClient(socketPath: "/nonexistent/admin.sock")
        #expect(
            await failure { _ = try await client.attach(AttachRequest(name: name, netns: "/n")) }?.code == .badRequest)
        #expect(await failure { try await client.detach(name) }?.code == .badRequest)
    }

    @Test func `without a router the error says how to start it`() async throws {
        let error = await failure { _ = try await AdminClient(socketPath: "/nonexistent/admin.sock").status() }
        #expect(error?.code == .unavailable)
        #expect(
            error?.message.hasPrefix("/nonexistent/admin.sock: no router runs here") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("slimrouter") == true)
    }

    @Test func `only its user can open the socket`() async throws {
        try await serving { path, _ in
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? Int) == 0o600)
        }
    }

    @Test func `a router that takes the socket over keeps it when the former one stops`() async throws {
        try await serving { (path, client) async throws in
            let former = AdminServer(path: path, backend: FakeRouter(), logger: logger)
            try await former.start()
            let next = AdminServer(path: path, backend: FakeRouter(), logger: logger)
            try await next.start()
            await former.stop()
            #expect(try await client.status().name == "h1")
            await next.stop()
        }
    }

    @Test func `a directory that is missing is a clear error`() async {
        let server = AdminServer(path: "/nonexistent/admin.sock", backend: FakeRouter(), logger: logger)
        let error = await failure { try await server.start() }
        #expect(error?.message.hasPrefix("/nonexistent/admin.sock: cannot listen") == true, "\(error?.message ?? "")")
        await server.stop()
    }

    private func failure(_ body: () async throws -> Void) async -> AdminError? {
        do {
            try await body()
            return nil
        } catch { return error as? AdminError }
    }
}
