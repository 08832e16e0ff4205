import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration {
    /// `bandwidth` and `qos` of a policy, on real streams. A machine with other work may be slower than a limit, never faster.
    @Suite struct Rates {
        private static let hundred = RateLab.bandwidth("hundred", "h1c1", #""egress": {"rate": "100mbit"}"#)
        /// Mbit/s that 100 may come to, with what is let through at once.
        private static let atMost = 108.0
        private static let atLeast = 50.0

        @Test(arguments: ["h2c1", "h1c2"], [1, 8])
        func `a limit holds for connections and packets together, across hosts and within one`(
            server: String, connections: Int
        ) async throws {
            try await RateLab.with("rate") { rates in
                try await rates.withServers(on: server, ports: [5301]) {
                    try await rates.withServers(on: server, ports: [5302], overlay: true) {
                        try await rates.lab.reload("\"bandwidth\": [\(Self.hundred)]")
                        let results = try await rates.measure(
                            RateLab.Stream(client: "h1c1", server: server, port: 5301, connections: connections),
                            RateLab.Stream(
                                client: "h1c1", server: server, port: 5302, overlay: true, connections: connections))
                        #expect(results.together < Self.atMost, "\(results)")
                        #expect(results.together > Self.atLeast, "\(results)")
                        guard server == "h2c1" else { return }
                        let other = try await rates.rate(
                            RateLab.Stream(client: "h1c2", server: server, port: 5301, seconds: 1))
                        #expect(other > 2 * Self.atMost, "nobody else is limited")
                    }
                }
            }
        }

        @Test(arguments: [false, true])
        func `a limit that comes, changes and goes holds for streams that live, and breaks none`(overlay: Bool)
            async throws
        {
            try await RateLab.with("live") { rates in
                try await rates.withServers(on: "h2c1", ports: [5301], overlay: overlay) {
                    let stream = try rates.fixture.lab.start(
                        try rates.program(
                            RateLab.Stream(
                                client: "h1c1", server: "h2c1", port: 5301, overlay: overlay, connections: 2, seconds: 7
                            )))
                    for rate in ["400", "200", "20"] {
                        try await Task.sleep(for: .milliseconds(700))
                        let entry = RateLab.bandwidth("r", "h1c1", "\"egress\": {\"rate\": \"\(rate)mbit\"}")
                        let report = try await rates.lab.reload("\"bandwidth\": [\(entry)]")
                        #expect(report.connectionsCut == 0)
                    }
                    let outcome = try await stream.wait(atMost: .seconds(60))
                    #expect(outcome.status == 0, "\(outcome.errorOutput)")
                    let seconds = try RateLab.intervals(outcome.output)
                    // What a program has written is not what was sent: its socket's buffer holds some.
                    #expect(seconds.suffix(2).reduce(0, +) / 2 < 60, "\(seconds)")
                    #expect(try #require(seconds.first) > 60, "\(seconds)")
                    try await rates.lab.reload("\"rules\": []")
                    #expect(try await rates.traces(on: "h1") == "")
                    let free = try await rates.rate(
                        RateLab.Stream(client: "h1c1", server: "h2c1", port: 5301, overlay: overlay, seconds: 1))
                    #expect(free > 200)
                }
            }
        }

        @Test func `what a container receives is limited, from all senders together`() async throws {
            try await RateLab.with("ingress") { rates in
                let entry = RateLab.bandwidth("in", "h2c1", #""ingress": {"rate": "100mbit"}"#)
                try await rates.lab.reload("\"bandwidth\": [\(entry)]", on: ["h2"])
                try await rates.withServers(on: "h2c1", ports: [5301, 5302]) {
                    try await rates.withServers(on: "h2c1", ports: [5303], overlay: true) {
                        let results = try await rates.measure(
                            RateLab.Stream(client: "h1c1", server: "h2c1", port: 5301, connections: 2),
                            RateLab.Stream(client: "h2c2", server: "h2c1", port: 5302),
                            RateLab.Stream(client: "h1c2", server: "h2c1", port: 5303, overlay: true))
                        #expect(results.together < Self.atMost, "\(results)")
                        #expect(results.together > Self.atLeast, "\(results)")
                        // Nor does it receive more over connections of its own.
                        try await rates.withServers(on: "h1c1", ports: [5304]) {
                            let own = try await rates.rate(
                                RateLab.Stream(client: "h2c1", server: "h1c1", port: 5304, options: ["-R"]))
                            #expect(own < Self.atMost)
                        }
                        // What it sends is nobody's business.
                        let sent = try await rates.rate(
                            RateLab.Stream(client: "h1c1", server: "h2c1", port: 5301, seconds: 1, options: ["-R"]))
                        #expect(sent > 2 * Self.atMost)
                    }
                }
            }
        }

        @Test func `a connection from before a limit on what is received is held to it`() async throws {
            try await RateLab.with("older") { rates in
                try await rates.withServers(on: "h2c1", ports: [5301]) {
                    let stream = try rates.fixture.lab.start(
                        try rates.program(RateLab.Stream(client: "h1c1", server: "h2c1", port: 5301, seconds: 5)))
                    try await Task.sleep(for: .milliseconds(700))
                    let entry = RateLab.bandwidth("in", "h2c1", #""ingress": {"rate": "50mbit"}"#)
                    let report = try await rates.lab.reload("\"bandwidth\": [\(entry)]", on: ["h2"])
                    #expect(report.connectionsKept == 2)
                    let outcome = try await stream.wait(atMost: .seconds(60))
                    #expect(outcome.status == 0, "\(outcome.errorOutput)")
                    let seconds = try RateLab.intervals(outcome.output)
                    // What a program has written is not what was sent: its socket's buffer holds some.
                    #expect(seconds.dropFirst(2).reduce(0, +) / 3 < 100, "\(seconds)")
                }
            }
        }

        @Test(arguments: [false, true])
        func `each connection has its own limit, by what either end may`(overlay: Bool) async throws {
            try await RateLab.with("each") { rates in
                let entries = [
                    RateLab.bandwidth("out", "h1c1", #""perConnection": {"egress": "20mbit"}"#),
                    RateLab.bandwidth("in", "h2c1", #""perConnection": {"ingress": "10mbit"}"#),
                ]
                try await rates.lab.reload("\"bandwidth\": [\(entries.joined(separator: ", "))]", on: ["h1", "h2"])
                for (server, limit) in [("h2c2", 20.0), ("h2c1", 10.0)] {
                    try await rates.withServers(on: server, ports: [5301], overlay: overlay) {
                        // The first second may have a second's worth at once.
                        let rate = try await rates.rate(
                            RateLab.Stream(
                                client: "h1c1", server: server, port: 5301, overlay: overlay, connections: 4,
                                seconds: 2, options: ["-O", "2"]))
                        #expect(rate < 4 * limit * 1.15)
                        // More than one of them may: each has its own.
                        #expect(rate > 1.5 * limit)
                    }
                }
            }
        }

        @Test(arguments: [false, true])
        func `what goes first gets what there is, and nothing starves`(overlay: Bool) async throws {
            try await RateLab.with("first") { rates in
                let qos = """
                    {"name": "first", "select": {"container": "h1c1"}, "ports": [5301], "class": "realtime"},
                    {"name": "last", "select": {"container": "h2c1"}, "ports": [5302], "class": "bulk"}
                    """
                try await rates.lab.reload("\"bandwidth\": [\(Self.hundred)], \"qos\": [\(qos)]")
                try await rates.withServers(on: "h2c1", ports: [5301, 5302], overlay: overlay) {
                    let results = try await rates.measure(
                        RateLab.Stream(client: "h1c1", server: "h2c1", port: 5301, overlay: overlay, seconds: 4),
                        RateLab.Stream(client: "h1c1", server: "h2c1", port: 5302, overlay: overlay, seconds: 4))
                    #expect(results.together < Self.atMost, "\(results)")
                    #expect(results.each[0] > 3 * results.each[1], "\(results)")
                    #expect(results.each[1] > 0.5, "\(results)")
                }
            }
        }

        @Test(arguments: [false, true], [false, true])
        func `packets show the DSCP value of their connection on the wire, in both directions`(
            overlay: Bool, v6: Bool
        ) async throws {
            try await RateLab.with("dscp") { rates in
                let qos = """
                    {"name": "wire", "select": {"container": "h2c1"}, "ports": [5301], "protocol": "tcp", "dscp": "af21"}
                    """
                try await rates.lab.reload("\"qos\": [\(qos)]", on: ["h1", "h2"])
                let fixture = rates.fixture
                let family = v6 ? "-6" : "-4"
                for (port, isMarked) in [(5301, true), (5399, false)] {
                    let server = ["iperf3", "-s", family, "--forceflush", "-p", "\(port)"]
                    try await fixture.withServer(server, on: "h2c1", overlay: overlay, until: "Server listening") { _ in
                        let before = try await rates.marked(on: ["h1", "h2"], dscp: "af21")
                        let address = try fixture.address("h2c1", v6: v6)
                        try await fixture.check(
                            ["iperf3", family, "-c", address, "-p", "\(port)", "-n", "12M"], on: "h1c1",
                            overlay: overlay
                        )
                        let after = try await rates.marked(on: ["h1", "h2"], dscp: "af21")
                        for (earlier, later) in zip(before, after) {
                            #expect((later > earlier) == isMarked, "port \(port): \(before), \(after)")
                        }
                        // iperf3 ends without waiting for what is in the socket's buffer: not all of it crosses.
                        if isMarked { #expect(after[1] - before[1] > 2_000_000) }
                    }
                }
            }
        }

        @Test func `limits follow labels and containers, outlive the router, and leave no trace`() async throws {
            try await RateLab.with("life") { rates in
                let fixture = rates.fixture
                try await rates.lab.reload(
                    """
                    "bandwidth": [
                      {"name": "slow", "select": {"labels": {"speed": "slow"}}, "egress": {"rate": "50mbit"}},
                      {"name": "in", "select": {"labels": {"name": "h1c2"}}, "ingress": {"rate": "50mbit"}}
                    ],
                    "qos": [{"name": "all", "select": "containers", "class": "bulk"}]
                    """)
                try await rates.withServers(on: "h2c1", ports: [5301]) {
                    let stream = RateLab.Stream(client: "h1c1", server: "h2c1", port: 5301, seconds: 2)
                    #expect(try await rates.rate(stream) > 200)
                    let router = ["--router", fixture.lab.directory.adminSocket("h1")]
                    #expect(try await fixture.slimctl(["label", "h1c1", "speed=slow"] + router).status == 0)
                    #expect(try await rates.rate(stream) < 60)
                    try await rates.withServers(on: "h1c1", ports: [5302]) {
                        let own = try await rates.rate(
                            RateLab.Stream(client: "h1c1", server: "h1c1", port: 5302, seconds: 1))
                        #expect(own > 200, "what it sends to itself")
                    }
                    try await fixture.lab.router(of: "h1").kill()
                    var packets = stream
                    packets.overlay = true
                    #expect(try await rates.rate(packets) < 60, "while there is no router")
                    try await fixture.lab.startRouter(of: "h1", fixture.binaries)
                    #expect(try await rates.rate(packets) < 60)
                    #expect(try await rates.classes(on: "h1").contains("class htb 1:902"))
                    // Somebody takes it away.
                    try await fixture.check(["ip", "link", "delete", "slim-rates"], on: "h1")
                    try await fixture.check(["nft", "flush", "ruleset"], on: "h1")
                    try await eventually("rates are limited again") {
                        let traces = try await rates.traces(on: "h1")
                        let classes = try await rates.classes(on: "h1")
                        return classes.contains("class htb 1:902") && traces.contains("slim_rates")
                    }
                    #expect(try await rates.rate(stream) < 60)
                    #expect(try await fixture.slimctl(["label", "h1c1", "speed-"] + router).status == 0)
                    #expect(try await rates.rate(stream) > 200)
                    #expect(try await fixture.slimctl(["label", "h1c1", "speed=slow"] + router).status == 0)
                    #expect(try await fixture.slimctl(["detach", "h1c1"] + router).status == 0)
                    #expect(try await !rates.classes(on: "h1").contains("class htb 1:902"))
                    let left = try await rates.traces(on: "h1")
                    #expect(left.contains("htb") && !left.contains("slim-rates"), "\(left)")
                }
                try await fixture.lab.router(of: "h1").kill()
                let configuration = fixture.lab.directory.routerConfiguration("h1")
                try await fixture.check([Fixture.slimctl, "overlay", "down", "--config", configuration], on: "h1")
                #expect(try await rates.traces(on: "h1") == "")
                try await fixture.lab.startRouter(of: "h1", fixture.binaries)
            }
        }
    }
}
