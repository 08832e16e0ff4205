import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration {
    /// Routers that come and go, and containers that do.
    @Suite struct Lifecycle {
        private func withOwnLab(_ purpose: String, _ body: @Sendable (HostileLab) async throws -> Void) async throws {
            try await Fixture.withLab("life-" + purpose) { try await body(HostileLab(fixture: $0)) }
        }

        /// Has bytes go to and fro on one connection while something happens, which must not interrupt them.
        private func withStream(
            _ lab: HostileLab, overlay: Bool, _ body: () async throws -> Void
        ) async throws {
            let fixture = lab.fixture
            let server = [Fixture.project + "/build/bin/slimprobe", "serve", "-4", "--port", "7700"]
            let address = try fixture.address("h2c1")
            try await fixture.withServer(server, on: "h2c1", overlay: overlay, until: "ready") { _ in
                let stream = try fixture.lab.start(
                    fixture.program(
                        ["python3", HostileLab.helpers + "/echo.py", address, "7700"], on: "h1c1", overlay: overlay))
                try await stream.waitForOutput("going")
                try await body()
                let exchanged = stream.outputSoFar.utf8.count
                try await eventually("the stream goes on: \(stream.errorOutputSoFar)") {
                    stream.outputSoFar.utf8.count > exchanged + 10
                }
                await stream.end()
            }
        }

        @Test func `a restart does not touch the packet overlay`() async throws {
            try await withOwnLab("overlay") { lab in
                let fixture = lab.fixture
                let links = { try await fixture.check(["ip", "-o", "link"], on: "h1") }
                let before = try await links()
                let ping = try fixture.lab.start(
                    fixture.program(
                        ["ping", "-i", "0.02", "-c", "100", "-W", "1", try fixture.address("h2c1")], on: "h1c1",
                        overlay: true))
                try await withStream(lab, overlay: true) {
                    for host in ["h1", "h2"] {
                        try await fixture.lab.router(of: host).stop()
                        try await fixture.lab.startRouter(of: host, fixture.binaries)
                    }
                    let outcome = try await ping.wait()
                    #expect(outcome.output.contains("100 packets transmitted, 100 received"), "\(outcome.output)")
                }
                #expect(try await links() == before)
            }
        }

        @Test func `established connections outlive routers that stop and that are killed`() async throws {
            try await withOwnLab("established") { lab in
                let fixture = lab.fixture
                let overlayBytes = try await fixture.vxlanBytes {
                    try await withStream(lab, overlay: false) {
                        for host in ["h1", "h2"] {
                            try await fixture.lab.router(of: host).stop()
                            try await Task.sleep(for: .milliseconds(200))
                            try await fixture.lab.startRouter(of: host, fixture.binaries)
                            try await fixture.lab.router(of: host).kill()
                            try await Task.sleep(for: .milliseconds(200))
                            try await fixture.lab.startRouter(of: host, fixture.binaries)
                        }
                    }
                }
                #expect(overlayBytes < 20_000)
            }
        }

        @Test func `a restarted router serves the same containers`() async throws {
            try await withOwnLab("restore") { lab in
                let before = try await lab.client().containers()
                #expect(before.map(\.name) == ["h1c1", "h1c2"])
                try await lab.fixture.lab.router(of: "h1").kill()
                // Without the lab's own attaching again.
                let router = try lab.fixture.lab.start(
                    lab.fixture.program(
                        [lab.fixture.binaries.router, "--config", lab.fixture.lab.directory.routerConfiguration("h1")],
                        on: "h1"))
                try await eventually("the containers are back") {
                    (try? await lab.client().containers().count) == 2
                }
                let after = try await lab.client().containers()
                #expect(after.map(\.name) == before.map(\.name))
                #expect(after.map(\.ipv4) == before.map(\.ipv4))
                #expect(after.map(\.ipv6) == before.map(\.ipv6))
                #expect(after.map(\.labels) == before.map(\.labels))
                await router.end()
            }
        }

        @Test func `a path that leads to another namespace is not taken for the container's`() async throws {
            try await withOwnLab("stale") { lab in
                let fixture = lab.fixture
                let keeper = try fixture.lab.start(fixture.program(["unshare", "--net", "sleep", "100"], on: "h1"))
                let path = "/proc/\(keeper.id)/ns/net"
                try await Task.sleep(for: .milliseconds(200))
                _ = try await lab.client().attach(AttachRequest(name: "stale", netns: path))
                try await fixture.lab.router(of: "h1").kill()
                // As if the process had ended and its number were used again.
                let store = fixture.lab.directory.routerDirectory("h1") + "/containers.json"
                let text = try String(contentsOfFile: store, encoding: .utf8).replacingOccurrences(
                    of: path.replacingOccurrences(of: "/", with: "\\/"),
                    with: fixture.lab.directory.networkNamespace(of: "h2c1").replacingOccurrences(of: "/", with: "\\/"))
                #expect(text.contains("h2c1"))
                try text.write(toFile: store, atomically: true, encoding: .utf8)
                try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                #expect(try await lab.client().containers().map(\.name) == ["h1c1", "h1c2"])
                #expect(try lab.logged("is another network namespace now") == 1)
                await keeper.end()
            }
        }

        @Test func `a container is attached, used, detached and attached again`() async throws {
            try await withOwnLab("attach") { lab in
                let fixture = lab.fixture
                let client = lab.client()
                let keeper = try fixture.lab.start(fixture.program(["unshare", "--net", "sleep", "100"], on: "h1"))
                let path = "/proc/\(keeper.id)/ns/net"
                try await Task.sleep(for: .milliseconds(200))
                let before = try fixture.lab.router(of: "h1").process?.descriptorCount ?? 0
                let links = try await fixture.check(["ip", "-o", "link"], on: "h1").split(separator: "\n").count
                var addresses: Set<String> = []
                for _ in 0..<5 {
                    let report = try await client.attach(AttachRequest(name: "guest", netns: path, labels: ["k": "v"]))
                    addresses.insert(try #require(report.ipv4))
                    let ping = ["nsenter", "--net=\(path)", "ping", "-c", "1", "-W", "5", try fixture.address("h2c1")]
                    try await fixture.check(ping, on: "h1")
                    await #expect(throws: AdminError.self) {
                        try await client.attach(AttachRequest(name: "guest", netns: path))
                    }
                    await #expect(throws: AdminError.self) {
                        try await client.attach(AttachRequest(name: "other", netns: path))
                    }
                    try await client.detach("guest")
                    await #expect(throws: AdminError.self) { try await client.detach("guest") }
                }
                #expect(addresses.count == 5)
                #expect(try await fixture.check(["ip", "-o", "link"], on: "h1").split(separator: "\n").count == links)
                try await eventually("descriptors are as before") {
                    (try fixture.lab.router(of: "h1").process?.descriptorCount ?? 0) <= before
                }
                await keeper.end()
            }
        }

        @Test func `requests that come together do not mix`() async throws {
            try await withOwnLab("together") { lab in
                let fixture = lab.fixture
                let socket = fixture.lab.directory.adminSocket("h1")
                let keeper = try fixture.lab.start(fixture.program(["unshare", "--net", "sleep", "100"], on: "h1"))
                let path = "/proc/\(keeper.id)/ns/net"
                try await Task.sleep(for: .milliseconds(200))
                for _ in 0..<5 {
                    let winners = await withTaskGroup(of: Bool.self) { group in
                        for index in 0..<8 {
                            group.addTask {
                                let request = AttachRequest(name: index % 2 == 0 ? "twin" : "twin\(index)", netns: path)
                                return (try? await AdminClient(socketPath: socket).attach(request)) != nil
                            }
                        }
                        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                    }
                    #expect(winners == 1)
                    let guest = try #require(try await lab.client().containers().first { $0.name.hasPrefix("twin") })
                    let ping = ["nsenter", "--net=\(path)", "ping", "-c", "1", "-W", "5", try fixture.address("h2c1")]
                    try await fixture.check(ping, on: "h1")
                    try await lab.client().detach(guest.name)
                }
                await keeper.end()
            }
        }

        @Test func `a container whose namespace is gone is let go`() async throws {
            try await withOwnLab("vanish") { lab in
                let fixture = lab.fixture
                let keeper = try fixture.lab.start(fixture.program(["unshare", "--net", "sleep", "100"], on: "h1"))
                try await Task.sleep(for: .milliseconds(200))
                let links = try await fixture.check(["ip", "-o", "link"], on: "h1").split(separator: "\n").count
                _ = try await lab.client().attach(AttachRequest(name: "mayfly", netns: "/proc/\(keeper.id)/ns/net"))
                #expect(try await lab.client().containers().count == 3)
                await keeper.end()
                try await eventually("the container is let go") { try await lab.client().containers().count == 2 }
                #expect(try await fixture.check(["ip", "-o", "link"], on: "h1").split(separator: "\n").count == links)
            }
        }

        @Test func `run gives a program a container of its own, and takes it back`() async throws {
            try await withOwnLab("run") { lab in
                let fixture = lab.fixture
                let router = fixture.lab.directory.adminSocket("h1")
                let run = [Fixture.slimctl, "run", "--router", router, "--name", "guest", "--label", "k=v", "--"]
                let script =
                    "hostname; ping -c 1 -W 5 \(try fixture.address("h2c1")) >/dev/null && echo reached; exit 7"
                let outcome = try await fixture.run(run + ["sh", "-c", script], on: "h1")
                #expect(outcome.status == 7, "\(outcome.errorOutput)")
                #expect(outcome.output == "guest\nreached\n")
                #expect(try await lab.client().containers().count == 2)
                // Killed on the spot, it leaves the router to notice.
                let sleeper = try fixture.lab.start(fixture.program(run + ["sleep", "1"], on: "h1"))
                try await eventually("it is attached") { try await lab.client().containers().count == 3 }
                sleeper.send(signal: 9)
                try await eventually("it is let go") { try await lab.client().containers().count == 2 }
            }
        }

        @Test func `overlay down removes everything, twice`() async throws {
            try await withOwnLab("down") { lab in
                let fixture = lab.fixture
                try await fixture.lab.router(of: "h1").stop()
                for _ in 0..<2 {
                    try await fixture.check(
                        [
                            Fixture.slimctl, "overlay", "down", "--config",
                            fixture.lab.directory.routerConfiguration("h1"),
                        ], on: "h1")
                    let links = try await fixture.check(["ip", "-o", "link"], on: "h1")
                    #expect(
                        !links.contains("slim0") && !links.contains("slim-vx") && !links.contains("veth"), "\(links)")
                    let routes = try await fixture.check(["sh", "-c", "ip route; ip -6 route; ip neigh"], on: "h1")
                    #expect(!routes.contains("10.32") && !routes.contains("fd00:32"), "\(routes)")
                }
                try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                try await fixture.check(["ping", "-c", "1", "-W", "5", try fixture.address("h2c1")], on: "h1c1")
            }
        }

        @Test func `a service manager is told when the router is ready, alive and stopping`() async throws {
            try await withOwnLab("notify") { lab in
                let fixture = lab.fixture
                try await fixture.lab.router(of: "h1").stop()
                let name = "@slim-notify-\(ProcessInfo.processInfo.processIdentifier)"
                let manager = """
                    import socket
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('\\0' + '\(name.dropFirst())'); print('listening', flush=True)
                    while True: print(s.recv(1000).decode(), flush=True)
                    """
                try await fixture.withServer(["python3", "-c", manager], on: "h1", until: "listening") { manager in
                    let router = try fixture.lab.start(
                        fixture.program(
                            [fixture.binaries.router, "--config", fixture.lab.directory.routerConfiguration("h1")],
                            on: "h1",
                            environment: ["NOTIFY_SOCKET=\(name)", "WATCHDOG_USEC=200000"]))
                    try await manager.waitForOutput("READY=1")
                    _ = try await lab.client().status()
                    let lives = { manager.outputSoFar.split(separator: "\n").count { $0 == "WATCHDOG=1" } }
                    try await eventually("it is alive again and again") { lives() >= 3 }
                    // A connection thread that hangs is not alive.
                    router.send(signal: 19)
                    try await Task.sleep(for: .milliseconds(300))
                    let count = lives()
                    try await Task.sleep(for: .milliseconds(500))
                    #expect(lives() == count)
                    router.send(signal: 18)
                    router.send(signal: 15)
                    let outcome = try await router.wait()
                    #expect(outcome.status == 0, "\(outcome.errorOutput)")
                    try await manager.waitForOutput("STOPPING=1")
                    #expect(manager.outputSoFar.components(separatedBy: "READY=1").count == 2)
                }
            }
        }
    }
}
