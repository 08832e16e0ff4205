import Foundation
import SlimLab
import Testing

extension Integration {
    /// Labs as such; each test has its own.
    @Suite struct Labs {
        /// What of a lab is on this machine: namespace files, mounts, folders.
        private static func traces(of name: String) throws -> [String] {
            let files = FileManager.default
            let namespaces = ((try? files.contentsOfDirectory(atPath: "/run/netns")) ?? []).filter {
                $0.hasPrefix("slim-\(name)-")
            }
            let folders = ((try? files.contentsOfDirectory(atPath: LabDirectory.root)) ?? []).filter {
                $0.hasPrefix(name)
            }
            let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("slim-\(name)-") || $0.contains("/\(name)/") || $0.hasSuffix("/\(name) ") }
            return namespaces + folders + mounts.map(String.init)
        }

        private static func descriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }

        @Test func `a lab leaves nothing behind`() async throws {
            let name = Fixture.labName("nothing")
            let before = try Self.descriptors()
            try await Fixture.withLab("nothing") { fixture in
                let sleeper = try fixture.lab.start(fixture.program(["sleep", "1000"], on: "h1c1"))
                #expect(try !Self.traces(of: name).isEmpty)
                #expect(try fixture.lab.router(of: "h1").process != nil)
                withExtendedLifetime(sleeper) {}
            }
            #expect(try Self.traces(of: name).isEmpty)
            #expect(try Self.descriptors() <= before)
        }

        @Test func `down ends what runs in the lab`() async throws {
            let directory = try LabDirectory(Fixture.labName("ends"))
            let lab = try await Lab.up(directory, try LabShape(secure: Fixture.isSecure), Fixture.builtBinaries)
            let fixture = Fixture(lab: lab, binaries: Fixture.builtBinaries)
            let sleeper = try lab.start(fixture.program(["sleep", "1000"], on: "h1c1"))
            let stubborn = try lab.start(
                fixture.program(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], on: "h2"))
            try await stubborn.waitForOutput("ready")
            let routers = try ["h1", "h2"].flatMap { try lab.router(of: $0).processes }
            #expect(routers.count >= 2)
            try await Lab.down(directory)
            #expect(!sleeper.isRunning)
            #expect(!stubborn.isRunning)
            for router in routers { #expect(RunningProcess(id: router.id) == nil) }
        }

        @Test func `up after a crash works, and down too`() async throws {
            let directory = try LabDirectory(Fixture.labName("crash"))
            let shape = try LabShape(hosts: 2, containers: 1, secure: Fixture.isSecure)
            let first = try await Lab.up(directory, shape, Fixture.builtBinaries)
            for host in ["h1", "h2"] {
                try await first.router(of: host).kill()
            }
            // As it is when the machine's user has cleaned up by hand, and not well.
            umount2(first.networkNamespace(of: "h2"), Int32(MNT_DETACH))
            let second = try await Lab.up(directory, shape, Fixture.builtBinaries)
            let fixture = Fixture(lab: second, binaries: Fixture.builtBinaries)
            try await fixture.check(["ping", "-c", "1", "-W", "5", try fixture.address("h2c1")], on: "h1c1")
            umount2(second.networkNamespace(of: "h1"), Int32(MNT_DETACH))
            unlink(directory.recordPath)
            try await Lab.down(directory)
            #expect(try Self.traces(of: directory.name).isEmpty)
        }

        @Test func `up again leaves a lab as it is, and refuses another shape`() async throws {
            try await Fixture.withLab("again", hosts: 1, containers: 1) { fixture in
                let process = try fixture.lab.router(of: "h1").process?.id
                let shape = try LabShape(hosts: 1, containers: 1, secure: Fixture.isSecure)
                _ = try await Lab.up(fixture.lab.directory, shape, fixture.binaries)
                #expect(try fixture.lab.router(of: "h1").process?.id == process)
                await #expect(throws: LabError.self) {
                    try await Lab.up(fixture.lab.directory, try LabShape(hosts: 2, containers: 1), fixture.binaries)
                }
            }
        }

        @Test func `labs of different names do not meet, though their addresses are the same`() async throws {
            try await Fixture.withLab("one", hosts: 1, containers: 1) { one in
                try await Fixture.withLab("one-two", hosts: 1, containers: 2) { two in
                    #expect(try one.address("h1c1") == (try two.address("h1c1")))
                    let ping = ["ping", "-c", "1", "-W", "1", try two.address("h1c2")]
                    #expect(try await two.run(ping, on: "h1c1").status == 0)
                    #expect(try await one.run(ping, on: "h1c1").status != 0)
                }
                try await one.check(["ping", "-c", "1", "-W", "2", try one.address("h1c1")], on: "h1c1")
            }
        }

        @Test func `a lab cannot be taken down from within`() async throws {
            let fixture = try Fixture.shared
            let down = [Fixture.slimctl, "lab", "down", "--name", fixture.lab.record.name]
            for node in ["h1", "h1c1"] {
                let outcome = try await fixture.run(down, on: node, overlay: true)
                #expect(outcome.status == 2)
                #expect(outcome.errorOutput.contains("inside a lab"))
            }
        }

        @Test(arguments: ["", "a b", "-a", "UPPER", "a/b", String(repeating: "a", count: 33)])
        func `names that cannot be are refused`(name: String) {
            #expect(throws: LabError.self) { try LabDirectory(name) }
        }
    }
}
