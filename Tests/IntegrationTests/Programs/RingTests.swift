import FoundationEssentials
import SlimLab
import Testing

extension Integration {
    @Suite struct Ring {
        /// Whether this kernel offers io_uring: an operator may have switched it off (2) or never built it.
        private static var isOffered: Bool {
            guard let setting = try? String(contentsOfFile: "/proc/sys/kernel/io_uring_disabled", encoding: .utf8)
            else {
                return false
            }
            return !setting.hasPrefix("2")
        }

        @Test(.enabled(if: isOffered, "this kernel has no io_uring"), arguments: Placement.allCases)
        func `a program that accepts by io_uring works with SLIM_LISTEN=plain, on the packet overlay`(
            placement: Placement
        ) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let program = "\(folder.path)/ring"
            try await fixture.check(["cc", "-O2", "-o", program, Fixture.helper("ring.c")], on: nil)
            let address = try fixture.address(placement.server)
            let process = try fixture.lab.start(
                fixture.program([program, "7000"], on: placement.server, environment: ["SLIM_LISTEN=plain"]))
            try await process.waitForOutput("ready")
            let report = try await fixture.path {
                let client = ["/usr/bin/python3", Fixture.helper("listeners.py"), "ask", address, "7000", "7000"]
                let seen = "\(try fixture.address(Placement.client))\n"
                #expect(try await fixture.check(client, on: Placement.client) == seen + seen)
            }
            await process.end()
            #expect(report.byOverlay == 2)
            #expect(report.handedOver == 0)
            if placement == .acrossHosts { #expect(report.vxlanBytes > 0) }
        }
    }
}
