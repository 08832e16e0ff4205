import Foundation
import SlimGuard
import SlimLab
import Testing

extension Integration.Resilience {
    /// Routers that cannot start: exit status 2, one line that says what, where and how to mend it, and nothing left behind.
    @Suite struct BadStarts {
        /// A host whose router is stopped, without an overlay: as a new machine is.
        private func withBareHost(_ purpose: String, _ body: @Sendable (BareHost) async throws -> Void) async throws {
            try await Fixture.withLab("start-" + purpose, hosts: 2, containers: 1) { fixture in
                let host = BareHost(fixture: fixture, folder: try TemporaryFolder())
                // Where a router's directory was in the folder, not in the lab.
                defer { ControlGroup.removeAll(below: host.folder.path) }
                try await host.makeBare()
                try await body(host)
            }
        }

        private struct BareHost {
            let fixture: Fixture
            let folder: TemporaryFolder

            var configurationPath: String { fixture.lab.directory.routerConfiguration("h1") }

            func makeBare() async throws {
                try await fixture.lab.router(of: "h1").stop()
                // What keeps the data ports for the next router is not on a new machine.
                try await fixture.check(["python3", HostileLab.helpers + "/keeper.py", "KILL"], on: "h1")
                let down = try await fixture.run(
                    [Fixture.slimctl, "overlay", "down", "--config", configurationPath], on: "h1")
                try #require(down.status == 0, "\(down.errorOutput)")
            }

            /// The configuration of h1 with changes.
            func configuration(_ change: (inout [String: Any]) -> Void) throws -> String {
                let data = try Data(contentsOf: URL(filePath: configurationPath))
                var content = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
                change(&content)
                let text = String(decoding: try JSONSerialization.data(withJSONObject: content), as: UTF8.self)
                return try folder.write("router.json", text)
            }

            func links() async throws -> String { try await fixture.check(["ip", "-o", "link"], on: "h1") }

            /// Starts a router that must fail, and looks at what it says and leaves.
            func refuses(
                _ path: String, wrapper: [String] = [], saying words: [String],
                sourceLocation: SourceLocation = #_sourceLocation
            ) async throws {
                let before = try await links()
                let outcome = try await fixture.run(
                    wrapper + [fixture.binaries.router, "--config", path], on: "h1", atMost: .seconds(20))
                #expect(outcome.status == 2, "\(outcome.errorOutput)", sourceLocation: sourceLocation)
                let lines = outcome.errorOutput.split(separator: "\n")
                #expect(lines.count == 1, "\(outcome.errorOutput)", sourceLocation: sourceLocation)
                for word in words {
                    #expect(
                        outcome.errorOutput.contains(word), "\(word): \(outcome.errorOutput)",
                        sourceLocation: sourceLocation)
                }
                #expect(try await links() == before, sourceLocation: sourceLocation)
            }
        }

        @Test(arguments: [4799, 4800, 4803, 4807]) func `a port in use`(port: Int) async throws {
            try await withBareHost("port") { host in
                let occupant =
                    "import socket,time; s=socket.create_server(('192.0.2.1',\(port))); print('occupied',flush=True); time.sleep(60)"
                try await host.fixture.withServer(["python3", "-c", occupant], on: "h1", until: "occupied") { _ in
                    try await host.refuses(
                        host.configurationPath,
                        saying: ["\(port)", "192.0.2.1", port == 4799 ? "ports.control" : "ports.data"])
                }
                // Free again, the router starts.
                try await host.fixture.lab.startRouter(of: "h1", host.fixture.binaries)
            }
        }

        @Test func `certificates that are missing, of another host or of another cluster`() async throws {
            try await withBareHost("pki") { host in
                let pki = host.fixture.lab.directory.pkiDirectory
                func credentials(_ change: (inout [String: Any]) -> Void) throws -> String {
                    try host.configuration { content in
                        var credentials = content["pki"] as? [String: Any] ?? [:]
                        change(&credentials)
                        content["pki"] = credentials
                    }
                }
                for key in ["certificate", "key", "authority"] {
                    try await host.refuses(credentials { $0[key] = pki + "/none" }, saying: [pki + "/none"])
                    let broken = try host.folder.write(
                        "broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                    try await host.refuses(credentials { $0[key] = broken }, saying: [broken])
                }
                try await host.refuses(
                    credentials {
                        $0["certificate"] = pki + "/h2.crt"
                        $0["key"] = pki + "/h2.key"
                    }, saying: ["h2.crt", "h1"])
                try await host.refuses(credentials { $0["key"] = pki + "/h2.key" }, saying: ["h2.key"])
                let foreign = host.folder.path + "/foreign"
                for arguments in [["init"], ["issue", "h1"]] {
                    try await host.fixture.check(
                        [Fixture.slimctl, "pki"] + arguments + ["--directory", foreign], on: nil)
                }
                try await host.refuses(
                    credentials {
                        $0["certificate"] = foreign + "/h1.crt"
                        $0["key"] = foreign + "/h1.key"
                    }, saying: [foreign + "/h1.crt"])
            }
        }

        @Test func `subnets that overlap, addresses and names that are not this host's`() async throws {
            try await withBareHost("subnets") { host in
                try await host.refuses(
                    host.configuration {
                        $0["peers"] = [["name": "h2", "address": "192.0.2.2", "subnets": ["10.32.1.128/25"]]]
                    },
                    saying: ["router.json", "peers[0]", "10.32.1"])
                try await host.refuses(
                    host.configuration { $0["underlay"] = ["address": "192.0.2.77"] }, saying: ["192.0.2.77"])
                try await host.refuses(host.configuration { $0["surprise"] = 1 }, saying: ["router.json", "surprise"])
                try await host.refuses("/nowhere/router.json", saying: ["/nowhere/router.json"])
            }
        }

        @Test func `no permission`() async throws {
            try await withBareHost("nobody") { host in
                let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]
                try await host.refuses(host.configurationPath, wrapper: nobody, saying: ["ermission"])
                let open = host.folder.path + "/run"
                try FileManager.default.createDirectory(
                    atPath: open, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
                chmod(open, 0o777)
                try await host.refuses(host.configuration { $0["directory"] = open }, wrapper: nobody, saying: ["ermi"])
                try await host.refuses(
                    host.configuration { $0["directory"] = "/proc/slim" }, saying: ["/proc/slim", "directory"])
            }
        }

        @Test func `a directory that another router uses`() async throws {
            try await withBareHost("locked") { host in
                try await host.fixture.lab.startRouter(of: "h1", host.fixture.binaries)
                try await host.refuses(host.configurationPath, saying: ["another slimrouter", "directory"])
                try await host.fixture.check(
                    ["ping", "-c", "1", "-W", "5", try host.fixture.address("h2c1")], on: "h1c1")
            }
        }

        @Test func `an admin socket that cannot be`() async throws {
            try await withBareHost("admin") { host in
                let directory = host.folder.path + "/run"
                try FileManager.default.createDirectory(
                    atPath: directory + "/admin.sock/occupied", withIntermediateDirectories: true)
                try await host.refuses(
                    host.configuration { $0["directory"] = directory }, saying: [directory + "/admin.sock"])
                let long = host.folder.path + "/" + String(repeating: "x", count: 100)
                try await host.refuses(host.configuration { $0["directory"] = long }, saying: ["directory", "shorter"])
            }
        }

        @Test func `a device of another kind that has the bridge's name`() async throws {
            try await withBareHost("name") { host in
                for (name, key) in [("slim0", "overlay.bridge"), ("slim-vx", "overlay.vxlan")] {
                    try await host.fixture.check(
                        ["ip", "link", "add", name, "type", "veth", "peer", "name", "other"], on: "h1")
                    try await host.refuses(host.configurationPath, saying: [name, "veth", key])
                    try await host.fixture.check(["ip", "link", "del", name], on: "h1")
                }
            }
        }
    }
}
