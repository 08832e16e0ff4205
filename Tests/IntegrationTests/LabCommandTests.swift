import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct LabCommand {
        private struct Status: Decodable {
            struct Host: Decodable {
                let name: String
                let address: String
                let routerPID: Int32?
                let adminSocket: String
                let containers: [Container]
            }
            struct Container: Decodable {
                let name: String
                let ipv4: String
                let ipv6: String
                let netns: String
            }
            let name: String
            let hosts: [Host]
        }

        private func lab(_ arguments: [String], after verb: String) async throws -> LabProcess.Outcome {
            let fixture = try Fixture.shared
            return try await fixture.slimctl(["lab", verb, "--name", fixture.lab.record.name] + arguments)
        }

        @Test func `status as JSON has what scripts rely on`() async throws {
            let outcome = try await lab(["--json"], after: "status")
            let status = try JSONDecoder().decode(Status.self, from: Data(outcome.output.utf8))
            #expect(status.name == (try Fixture.shared.lab.record.name))
            #expect(status.hosts.map(\.name) == ["h1", "h2"])
            #expect(status.hosts.flatMap(\.containers).map(\.name) == ["h1c1", "h1c2", "h2c1", "h2c2"])
            for host in status.hosts {
                #expect(FileManager.default.fileExists(atPath: host.adminSocket))
                let id = try #require(host.routerPID)
                #expect(RunningProcess(id: id) != nil)
                for container in host.containers { #expect(FileManager.default.fileExists(atPath: container.netns)) }
            }
        }

        @Test func `address prints one address`() async throws {
            let fixture = try Fixture.shared
            #expect(try await lab(["h1c2"], after: "address").output == "\(try fixture.address("h1c2"))\n")
            #expect(
                try await lab(["-6", "h1c2"], after: "address").output == "\(try fixture.address("h1c2", v6: true))\n")
            #expect(try await lab(["h2"], after: "address").output == "\(try fixture.address("h2"))\n")
            let unknown = try await lab(["h7c1"], after: "address")
            #expect(unknown.status == 2)
            #expect(unknown.errorOutput.contains("h7c1"))
        }

        @Test func `exit status and standard streams are the program's`() async throws {
            let outcome = try await lab(
                ["h1c1", "--", "sh", "-c", "echo out; echo err >&2; hostname; exit 42"], after: "exec")
            #expect(outcome.status == 42)
            #expect(outcome.output == "out\nh1c1\n")
            #expect(outcome.errorOutput == "err\n")
            #expect(try await lab(["h1c1", "--", "sh", "-c", "kill -TERM $$"], after: "exec").status == 128 + 15)
            #expect(try await lab(["h1c1", "--", "/nonexistent"], after: "exec").status == 127)
            #expect(try await lab(["h1", "--", "sh", "-c", "exit 7"], after: "host-exec").status == 7)
        }

        @Test func `a signal to exec is a signal to the program`() async throws {
            let fixture = try Fixture.shared
            let command = "trap 'echo caught; exit 3' USR1; echo ready; while :; do sleep 0.05; done"
            let arguments = ["lab", "exec", "--name", fixture.lab.record.name, "h1c1", "--", "bash", "-c", command]
            let process = try fixture.lab.start(fixture.program([Fixture.slimctl] + arguments, on: nil))
            try await process.waitForOutput("ready")
            process.send(signal: 10)
            let outcome = try await process.wait()
            #expect(outcome.status == 3)
            #expect(outcome.output.hasSuffix("caught\n"))
        }

        @Test func `exec sets the library and the router, and --overlay does not`() async throws {
            let fixture = try Fixture.shared
            let show = ["h1c1", "--", "sh", "-c", "echo \"$LD_PRELOAD|$SLIM_ROUTER|$KEY\""]
            let with = try await lab(["--env", "KEY=a=b"] + show, after: "exec")
            #expect(with.output == "\(fixture.binaries.library)|@slim|a=b\n")
            #expect(try await lab(["--overlay"] + show, after: "exec").output == "||\n")
        }

        @Test func `containers know each other by name`() async throws {
            let outcome = try await lab(["--overlay", "h1c1", "--", "getent", "hosts", "h2c2"], after: "exec")
            #expect(outcome.output.hasPrefix(try Fixture.shared.address("h2c2")))
        }

        @Test func `other verbs reach a router of the lab`() async throws {
            let fixture = try Fixture.shared
            let outcome = try await fixture.slimctl([
                "containers", "--json", "--router", "lab:\(fixture.lab.record.name)/h2",
            ])
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("h2c1"))
        }

        @Test func `a router can be stopped, started, restarted and killed`() async throws {
            let fixture = try Fixture.shared
            let router = try fixture.lab.router(of: "h2")
            #expect(try await lab(["h2", "stop"], after: "router").status == 0)
            #expect(router.processes.isEmpty)
            #expect(try await lab(["h2", "start"], after: "router").status == 0)
            let first = try #require(router.process?.id)
            #expect(try await lab(["h2", "restart"], after: "router").status == 0)
            let second = try #require(router.process?.id)
            #expect(first != second)
            #expect(try await lab(["h2", "kill"], after: "router").status == 0)
            #expect(RunningProcess(id: second) == nil)
            #expect(try await lab(["h2", "start"], after: "router").status == 0)
            let ping = ["ping", "-c", "1", "-W", "5", try fixture.address("h1c1")]
            try await fixture.check(ping, on: "h2c1")
        }
    }
}
