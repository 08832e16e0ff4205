import Foundation
import SlimAdmin
import SlimGuard
import SlimLab
import Testing

extension Integration.Resilience {
    /// Secure mode as a whole: router, guard and containers.
    @Suite(.serialized) struct SecureMode {
        private static let secretPort = 9911

        static func helper(_ name: String) -> String {
            "\(Fixture.project)/Tests/Attacks/\(name)"
        }

        /// Has a hostile program in h1c1 try to read a secret from its host's loopback.
        ///
        /// - Parameters:
        ///   - pause: what happens between its connection and its attempt.
        /// - Returns: what it says of it.
        private func escape(
            _ fixture: Fixture, after pause: (() async throws -> Void)? = nil
        ) async throws -> String {
            let server = """
                import socket
                s = socket.create_server(('127.0.0.1', \(Self.secretPort))); print('ready', flush=True)
                while True: s.accept()[0].sendall(b'the secret')
                """
            let program = ["python3", Self.helper("escape.py"), try fixture.address("h2c1"), "8000"]
            return try await fixture.withServer(["python3", "-c", server], on: "h1", until: "ready") { _ in
                try await withWeb(fixture) {
                    let process = try fixture.lab.start(
                        fixture.program(program + [String(Self.secretPort), "wait"], on: "h1c1"))
                    try await process.waitForOutput("connected from")
                    try await pause?()
                    process.closeInput()
                    return try await process.wait().output
                }
            }
        }

        /// A web server in h2c1, port 8000.
        private func withWeb<Value>(_ fixture: Fixture, _ body: () async throws -> Value) async throws -> Value {
            let server = ["python3", "-u", "-m", "http.server", "8000"]
            return try await fixture.withServer(server, on: "h2c1", until: "Serving") { _ in try await body() }
        }

        private func fetch(_ fixture: Fixture) async throws {
            try await fixture.check(
                ["curl", "-sS", "-m", "5", "-o", "/dev/null", "http://\(try fixture.address("h2c1")):8000/"], on: "h1c1"
            )
        }

        private func secure(_ fixture: Fixture, _ arguments: [String], _ host: String = "h1") async throws
            -> LabProcess.Outcome
        {
            try await fixture.slimctl(
                ["secure"] + arguments + ["--router", "lab:\(fixture.lab.record.name)/\(host)"])
        }

        @Test func `a hostile container reads from its host's loopback, but not in secure mode`() async throws {
            try await Fixture.withLab("insecure", secure: false) { fixture in
                let words = try await escape(fixture)
                #expect(words.contains("reconnect read: the secret"), "\(words)")
            }
            try await Fixture.withLab("secure", secure: true) { fixture in
                try await fixture.expectFastPath {
                    let words = try await escape(fixture)
                    #expect(words.contains("reconnect refused: EPERM"), "\(words)")
                    let own = try fixture.address("h1c1")
                    #expect(words.contains("connected from \(own)"), "\(words)")
                }
                let status = try await secure(fixture, ["status"])
                #expect(status.status == 0 && status.output.contains("bpf"), "\(status.output)\(status.errorOutput)")
            }
        }

        @Test func `the guard outlives its router, and the next router takes it over`() async throws {
            try await Fixture.withLab("secure", secure: true) { fixture in
                let router = try fixture.lab.router(of: "h1")
                let words = try await escape(fixture) { try await router.kill() }
                #expect(words.contains("reconnect refused: EPERM"), "\(words)")
                try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                let again = try await escape(fixture) {
                    let report = try await fixture.client().secureMode()
                    #expect(report.sockets >= 1)
                    try await router.kill()
                    try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                    #expect(try await fixture.client().secureMode().sockets >= 1)
                }
                #expect(again.contains("reconnect refused: EPERM"), "\(again)")
            }
        }

        @Test func `sockets stay guarded when somebody removes the control group that they are of`() async throws {
            try await Fixture.withLab("group", secure: true) { fixture in
                let group = try ControlGroup.path(ofRouterIn: fixture.lab.directory.routerDirectory("h1"))
                let words = try await escape(fixture) {
                    try await fixture.lab.router(of: "h1").kill()
                    try await eventually("the group has no process") {
                        try await fixture.run(["rmdir", group], on: nil).status == 0
                    }
                    try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                }
                #expect(words.contains("reconnect refused: EPERM"), "\(words)")
                try await withWeb(fixture) { try await fixture.expectFastPath { try await fetch(fixture) } }
            }
        }

        @Test func `without a guard that works no host socket is handed out, until one does`() async throws {
            let folder = try TemporaryFolder()
            let object = folder.path + "/lib/slim_guard.bpf.o"
            let binaries = try await Fixture.movedBinaries(into: folder)
            let directory = try LabDirectory(Fixture.labName("dead"))
            do {
                let lab = try await Lab.up(directory, try LabShape(secure: true), binaries)
                try await seeGuardDie(Fixture(lab: lab, binaries: binaries), object)
            } catch {
                _ = try? await Lab.down(directory)
                throw error
            }
            try await Lab.down(directory)
        }

        private func seeGuardDie(_ fixture: Fixture, _ object: String) async throws {
            try await withWeb(fixture) {
                try await fixture.expectFastPath { try await fetch(fixture) }
                try FileManager.default.moveItem(atPath: object, toPath: object + ".away")
                let link = fixture.lab.directory.routerDirectory("h1") + "/guard/slim_bind4"
                try await fixture.check(["python3", Self.helper("detach.py"), link], on: nil)
                try await eventually("status says why") {
                    let status = try await secure(fixture, ["status"])
                    return status.status == 1 && status.output.contains("slim_guard.bpf.o")
                }
                let path = try await fixture.path { try await fetch(fixture) }
                #expect(path.handedOver == 0 && path.byOverlay == 1)
                let log = try String(contentsOfFile: fixture.lab.directory.routerLog("h1"), encoding: .utf8)
                #expect(log.contains("no host socket is handed out"))
                // The other end hands out none either, when it is that end that has no guard.
                let other = try await fixture.run(
                    ["curl", "-sS", "-m", "5", "http://\(try fixture.address("h2c1")):8000/"], on: "h2c2")
                #expect(other.status == 0)

                try FileManager.default.moveItem(atPath: object + ".away", toPath: object)
                try await eventually("the guard is back") { try await secure(fixture, ["status"]).status == 0 }
                try await fixture.expectFastPath { try await fetch(fixture) }
            }
        }

        @Test func `secure mode is enabled and disabled while the router runs, and survives it`() async throws {
            try await Fixture.withLab("enable", secure: false) { fixture in
                let enabled = try await secure(fixture, ["enable", "--guard", "bpf"])
                #expect(enabled.status == 0, "\(enabled.errorOutput)")
                #expect(try await secure(fixture, ["enable", "--guard", "bpf"], "h2").status == 0)
                try await fixture.expectFastPath {
                    let words = try await escape(fixture)
                    #expect(words.contains("reconnect refused: EPERM"), "\(words)")
                }
                try await fixture.lab.router(of: "h1").stop()
                try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                let report = try await fixture.client().secureMode()
                #expect(report.required && report.guard == "bpf")
                let words = try await escape(fixture)
                #expect(words.contains("reconnect refused: EPERM"), "\(words)")

                #expect(try await secure(fixture, ["disable"]).status == 0)
                let loose = try await escape(fixture)
                #expect(loose.contains("reconnect read: the secret"), "\(loose)")
            }
        }

        @Test func `a guard that cannot be had is a clear error, and leaves nothing open`() async throws {
            try await Fixture.withLab("module", secure: false) { fixture in
                try #require(!FileManager.default.fileExists(atPath: "/dev/slim"), "the module is loaded here")
                let refused = try await secure(fixture, ["enable", "--guard", "module"])
                #expect(refused.status == 2 && refused.errorOutput.contains("module"), "\(refused.errorOutput)")
                try await withWeb(fixture) {
                    let path = try await fixture.path { try await fetch(fixture) }
                    #expect(path.handedOver == 0 && path.byOverlay == 1)
                }
                #expect(try await secure(fixture, ["status"]).status == 1)
                let auto = try await secure(fixture, ["enable", "--guard", "auto"])
                #expect(auto.status == 0 && auto.output.contains("bpf"), "\(auto.errorOutput)")
                try await withWeb(fixture) { try await fixture.expectFastPath { try await fetch(fixture) } }
            }
        }

        @Test func `unmodified programs do not notice`() async throws {
            try await Fixture.withLab("programs", secure: true) { fixture in
                try await LabTrait.$fixture.withValue(fixture) {
                    try await Integration.Stores().`redis answers redis-cli and redis-benchmark`(
                        placement: .acrossHosts)
                    try await Integration.Nginx().`workers with reuseport and a reverse proxy serve ab and wrk`(
                        placement: .onOneHost)
                    try await Integration.Node().`a web server answers with and without keep-alive`(
                        kind: "cluster", placement: .acrossHosts)
                    try await Integration.Java()
                        .`blocking sockets, selectors, asynchronous channels and HttpServer work everywhere`()
                    try await Integration.Python().`TLS is spoken end to end`(placement: .acrossHosts)
                    try await Integration.Iperf().`a connection across hosts does not touch the VXLAN device`(v6: true)
                    try await Integration.SecureShell().`ssh sees overlay addresses in a session, and scp copies`(
                        placement: .acrossHosts)
                    try await Integration.DataIntegrity().`a reset is seen as a reset, in each direction`(
                        placement: .acrossHosts)
                }
            }
        }
    }
}

extension Fixture {
    func client(_ host: String = "h1") -> AdminClient { AdminClient(socketPath: lab.directory.adminSocket(host)) }
}
