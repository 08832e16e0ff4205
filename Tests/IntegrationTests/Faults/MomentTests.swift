import Foundation
import SlimAdmin
import SlimLab
import Testing

extension Integration.Resilience {
    /// A router that is killed between two system calls of one connection: at each of these moments in turn.
    @Suite struct MomentFaults {
        private static let port = 7804

        struct Place: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let host: String
            /// The system call that the connection begins with, for that host's router.
            let call: String
            let hasLibrary: Bool

            static let all = [
                Place(
                    testDescription: "the server's, client under Slim", host: "h2", call: "accept4", hasLibrary: true),
                Place(
                    testDescription: "the server's, client without the library", host: "h2", call: "accept4",
                    hasLibrary: false),
                Place(testDescription: "the client's", host: "h1", call: "recvmsg", hasLibrary: true),
            ]
        }

        @Test(arguments: Place.all)
        func `the connection that a router is at when it is killed is not lost, and the next one knows it`(place: Place)
            async throws
        {
            try await FaultLab.with("moment") { lab in
                try await lab.withEchoServer(on: "h2c1", port: Self.port) { _ in
                    var moments = 0
                    while try await expectEcho(lab, place, killedAt: moments) { moments += 1 }
                    print("\(place.testDescription): \(moments) moments")
                    #expect(moments >= 5)
                }
            }
        }

        /// - Returns: whether the router was killed: `false` when the connection has no such moment.
        private func expectEcho(_ lab: FaultLab, _ place: Place, killedAt moment: Int) async throws -> Bool {
            try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.port)
            let router = try #require(try lab.lab.router(of: place.host).process)
            let killer = try lab.lab.start(
                lab.fixture.program(
                    ["python3", FaultLab.helpers + "/die_at.py", "\(router.id)", place.call, "\(moment)"], on: nil))
            try await killer.waitForOutput("ready\n")
            let client = try lab.lab.start(
                lab.fixture.program(
                    ["python3", FaultLab.helpers + "/echo_once.py", try lab.fixture.address("h2c1"), "\(Self.port)"],
                    on: "h1c1", overlay: !place.hasLibrary))
            let end = try await killer.wait(atMost: .seconds(20))
            let isKilled = end.output.contains("killed after ")
            if isKilled {
                try await eventually("the router has ended") { router.hasEnded }
                try await lab.lab.startRouter(of: place.host, lab.fixture.binaries)
            }
            let comment = "moment \(moment), \(end.output.suffix(20)): \(end.errorOutput)"
            do { try await client.waitForOutput("\n", atMost: .seconds(30)) } catch {
                Issue.record(error, "\(comment)")
            }
            // Who holds a host socket is in the table, at both ends; what the packet overlay carries is in none.
            let known: UInt64 = client.outputSoFar == "host\n" ? 1 : 0
            for host in ["h1", "h2"] {
                try await eventually("\(host) knows the connection, \(comment)") {
                    try await lab.base.client(host).status().counts["connections"] == known
                }
            }
            await client.end()
            #expect(isKilled || end.output.hasSuffix("past\n"), "\(end.errorOutput)")
            return isKilled
        }
    }
}
