import Foundation
import SlimLab
import Testing

extension Integration.Resilience {
    /// Routers that come and go under load.
    @Suite struct RouterFaults {
        private static let echoPort = 7801

        @Test(arguments: ["h1", "h2"])
        func `a hundred streams go on while a router is stopped, killed, restarted and upgraded`(host: String)
            async throws
        {
            let folder = try TemporaryFolder()
            try await FaultLab.with("router") { lab in
                // As another build: other content, at another place, under the same name.
                let other = try await Fixture.movedBinaries(into: folder, isOther: true)
                let router = try lab.lab.router(of: host)
                let servers = Fixture.helper("servers.py")
                let idle = ["python3", servers, "asyncio", "7802"]
                try await lab.fixture.withServer(idle, on: "h2c2", until: "ready") { asyncio in
                    try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { echo in
                        let streamBytes = try await lab.fixture.vxlanBytes {
                            try await lab.withStreams(100) { streams in
                                for upgrade in [false, true] {
                                    if upgrade { try await router.kill() } else { try await router.stop() }
                                    try await expectService(lab, streams, idle: [asyncio, echo])
                                    try await lab.lab.startRouter(
                                        of: host, upgrade ? other : lab.fixture.binaries)
                                    if upgrade {
                                        #expect(router.process?.arguments.first == other.router)
                                    }
                                    let time = try await lab.becomesFast(
                                        from: "h1c2", to: "h2c1", port: Self.echoPort)
                                    print("\(host): on the fast path \(time) after the router is ready")
                                    try await streams.goOn(lab)
                                }
                                // Killed and restarted in a row: nobody waits for anybody.
                                for _ in 0..<3 {
                                    try await router.kill()
                                    try await lab.lab.startRouter(of: host, other)
                                }
                                try await lab.becomesFast(from: "h1c2", to: "h2c1", port: Self.echoPort)
                            }
                        }
                        // What the streams carried, a megabyte and more a second, did not cross the overlay.
                        #expect(streamBytes < 2_000_000)
                    }
                }
            }
        }

        @Test func `a router that gets no more memory costs no connection`() async throws {
            try await FaultLab.with("memory") { lab in
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await lab.withStreams(20) { streams in
                        let router = try #require(try lab.lab.router(of: "h1").process)
                        let limit = { (bytes: String) async throws -> Int32 in
                            try await lab.fixture.run(
                                ["prlimit", "--pid", "\(router.id)", "--data=\(bytes):"], on: nil
                            ).status
                        }
                        let bytes = try #require(router.dataBytes)
                        #expect(try await limit("\(bytes)") == 0)
                        let holder = try lab.lab.start(
                            lab.fixture.program(
                                [
                                    FaultLab.probe, "hold", try lab.fixture.address("h2c1"), "\(Self.echoPort)", "-4",
                                    "--connections", "8000",
                                ], on: "h1c2"))
                        try await holder.waitForOutput("8000\n", atMost: .seconds(60))
                        // It goes on without, or ends, then or a moment ago.
                        _ = try await limit("unlimited")
                        try await streams.goOn(lab)
                        await holder.end()
                        let lives = try lab.lab.router(of: "h1").process?.id == router.id
                        print("the router \(lives ? "goes on" : "has ended")")
                        if !lives { try await lab.lab.startRouter(of: "h1", lab.fixture.binaries) }
                        try await lab.becomesFast(from: "h1c2", to: "h2c1", port: Self.echoPort)
                    }
                }
            }
        }

        @Test func `a keeper that hangs holds up nobody for long, and no port, and is replaced`() async throws {
            try await FaultLab.with("keeper") { lab in
                try await lab.withEchoServer(on: "h2c2", port: Self.echoPort) { _ in
                    try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                        try await lab.fixture.check(
                            ["python3", HostileLab.helpers + "/keeper.py", "STOP"], on: "h2")
                    }
                    // What the server had is the keeper's too, which does not let it go.
                    try await eventually("the port is free again") {
                        (try? await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                            try await lab.becomesFast(from: "h1c2", to: "h2c1", port: Self.echoPort)
                        }) != nil
                    }
                    try await lab.becomesFast(from: "h1c2", to: "h2c2", port: Self.echoPort)
                    // Another one keeps what listens: it outlives the router.
                    try await eventually("there is another keeper") {
                        try lab.base.logged("there is a keeper again", by: "h2") == 1
                    }
                    try await lab.lab.router(of: "h2").kill()
                    try await lab.lab.startRouter(of: "h2", lab.fixture.binaries)
                    try await lab.becomesFast(from: "h1c2", to: "h2c2", port: Self.echoPort)
                }
            }
        }

        /// Without the router: streams go on, listeners stay and are reached by the overlay, servers rest.
        private func expectService(_ lab: FaultLab, _ streams: Streams, idle: [LabProcess]) async throws {
            let before = try lab.processorTicks(of: idle)
            try await Task.sleep(for: .seconds(1))
            let ticks = try lab.processorTicks(of: idle) - before
            #expect(ticks < 5, "clock ticks of servers that nobody asks anything, in a second")
            try await lab.expectOverlay(from: "h1c2", to: "h2c1", port: Self.echoPort)
            try await streams.goOn(lab)
        }
    }
}
