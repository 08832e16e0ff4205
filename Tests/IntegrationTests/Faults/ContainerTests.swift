import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration.Resilience {
    /// A container that is killed on the spot: its processes and its namespace are gone at once.
    @Suite struct ContainerFaults {
        private static let guestPort = "7841"
        private static let otherPort = "7842"

        @Test func `what a killed container had is gone at both ends, and nobody else's`() async throws {
            try await FaultLab.with("killed") { lab in
                let holder = try lab.lab.start(lab.fixture.program(["unshare", "--net", "sleep", "1000"], on: "h2"))
                let namespace = "/proc/\(holder.id)/ns/net"
                try await Task.sleep(for: .milliseconds(300))
                let guest = try await lab.base.client("h2").attach(AttachRequest(name: "guest", netns: namespace))
                let address = try #require(guest.ipv4)
                let helper = FaultLab.helpers + "/streams.py"
                func inGuest(_ arguments: [String]) throws -> LabProcess {
                    let environment = ["LD_PRELOAD=\(lab.fixture.binaries.library)", "SLIM_ROUTER=@slim"]
                    let enter = ["nsenter", "--net=\(namespace)", "python3", helper]
                    return try lab.lab.start(
                        lab.fixture.program(enter + arguments, on: "h2", environment: environment))
                }
                let other = ["python3", helper, "serve", Self.otherPort]
                try await lab.withStreams(10, from: "h1c2", to: "h2c2") { streams in
                    try await lab.fixture.withServer(other, on: "h1c2", until: "ready") { other in
                        let server = try inGuest(["serve", Self.guestPort])
                        try await server.waitForOutput("ready")
                        let connecting = ["python3", helper, "connect", address, Self.guestPort, "10"]
                        let outside = try lab.lab.start(lab.fixture.program(connecting, on: "h1c1"))
                        let inside = try inGuest(["connect", try lab.fixture.address("h1c2"), Self.otherPort, "10"])
                        for process in [outside, inside] {
                            try await process.waitForOutput("going", atMost: .seconds(30))
                        }
                        let before = try await traces(of: address, lab)
                        #expect(before.connections == ["h1": 20, "h2": 20])
                        #expect(before.listeners == 1)

                        for process in [server, inside, holder] { process.send(signal: 9) }

                        // The peers' connections end as they do when a process is killed, by an end or a reset.
                        let outcome = try await outside.wait()
                        #expect(outcome.status == 1)
                        #expect(
                            outcome.errorOutput.contains("IncompleteReadError")
                                || outcome.errorOutput.contains("ConnectionResetError"), "\(outcome.errorOutput)")
                        try await eventually("its streams have ended: \(other.outputSoFar)") {
                            other.outputSoFar.split(separator: "\n").count { $0.hasPrefix("broken after") } == 10
                        }
                        try await eventually("nothing of it is listed") {
                            let left = try await traces(of: address, lab)
                            let containers = try await lab.base.client("h2").containers().map(\.name)
                            return left.connections == ["h1": 0, "h2": 0] && left.listeners == 0
                                && containers == ["h2c1", "h2c2"]
                        }
                        try await streams.goOn(lab)
                        #expect(try await lab.base.client("h1").connections().count == 10)
                        #expect(try await lab.base.client("h2").connections().count == 10)
                    }
                }
                for process in [holder] { await process.end() }
            }
        }

        /// What the routers list of a container: its connections by host, and its listeners.
        private func traces(
            of address: String, _ lab: FaultLab
        ) async throws -> (connections: [String: Int], listeners: Int) {
            var connections: [String: Int] = [:]
            for host in ["h1", "h2"] {
                connections[host] = try await lab.base.client(host).connections().count {
                    $0.local.hasPrefix(address + ":") || $0.remote.hasPrefix(address + ":")
                }
            }
            return (connections, try await lab.base.client("h2").listeners().count { $0.container == "guest" })
        }
    }
}
