import Foundation
import SlimAdmin
import SlimLab
import SlimPKI
import Testing

extension Integration.Resilience {
    /// Certificates that end, and clocks that are wrong.
    @Suite struct CertificateFaults {
        private static let echoPort = 7851

        /// Gives a host another certificate, and has its router read it.
        private func renew(_ host: String, _ lab: FaultLab, validFor lifetime: Duration) async throws {
            let before = try lab.base.logged("certificates read again", by: host)
            try PKI.renew(host: host, directory: lab.lab.directory.pkiDirectory, validFor: lifetime)
            let router = try #require(try lab.lab.router(of: host).process)
            kill(router.id, SIGHUP)
            try await eventually("\(host) has read its certificate") {
                try lab.base.logged("certificates read again", by: host) > before
            }
        }

        /// Connections from the first to the second host; the first one dials the second one's router too.
        @Test(arguments: ["h1", "h2"])
        func `a certificate that expires ends no connection, and one that is renewed lets new ones in`(
            host: String
        ) async throws {
            try await FaultLab.with("expiry") { lab in
                let other = host == "h1" ? "h2" : "h1"
                let certificate = "\(lab.lab.directory.pkiDirectory)/\(host).crt"
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                    try await lab.withStreams(20) { streams in
                        try await renew(host, lab, validFor: .seconds(2))
                        try await eventually("the certificate has expired") {
                            try PKI.inspect(certificate).isExpired()
                        }
                        // The routers know each other.
                        try await lab.fixture.expectFastPath(connections: 5) {
                            try await lab.expectEcho(from: "h1c1", to: "h2c1", port: Self.echoPort)
                        }
                        try await streams.goOn(lab)

                        // They would have to get to know each other again.
                        try await lab.lab.router(of: other).kill()
                        try await lab.lab.startRouter(of: other, lab.fixture.binaries)
                        try await lab.expectOverlay(from: "h1c1", to: "h2c1", port: Self.echoPort)
                        #expect(try await lab.base.client().hosts().allSatisfy { !$0.connected })
                        let believed = host == "h1" ? "dropped a connection from h1 (" : "cannot connect to h2 at"
                        try await eventually("both say what is wrong") {
                            let own = try lab.base.logged("\(certificate) has expired", by: host)
                            let others = try lab.base.logged(believed, by: other)
                            let remedies = try lab.base.logged("`slimctl pki renew \(host)`", by: other)
                            return own > 0 && others > 0 && remedies > 0
                        }

                        try await renew(host, lab, validFor: .seconds(3600))
                        try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                        try await lab.fixture.expectFastPath(connections: 5) {
                            try await lab.expectEcho(from: "h1c1", to: "h2c1", port: Self.echoPort)
                        }
                    }
                }
            }
        }

        @Test(arguments: ["h1", "h2"], ["-1h", "+1h"])
        func `a clock that is an hour off keeps no router away`(host: String, offset: String) async throws {
            try await FaultLab.with("clock") { lab in
                try await lab.lab.router(of: host).kill()
                let command = [lab.fixture.binaries.router, "--config", lab.lab.directory.routerConfiguration(host)]
                let router = try lab.lab.start(
                    lab.fixture.program(
                        ["faketime", "-m", "-f", offset] + command, on: host,
                        environment: ["FAKETIME_DONT_FAKE_MONOTONIC=1"]))
                try await router.waitForOutput(" info ready ", atMost: .seconds(20))
                let text = try #require(router.errorOutputSoFar.split(separator: " ").first)
                let itsTime = try Date(
                    String(text), strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
                let difference = itsTime.timeIntervalSinceNow
                #expect(offset == "-1h" ? difference < -3000 : difference > 3000, "its clock is wrong")
                try await lab.withEchoServer(on: "h2c1", port: Self.echoPort) { _ in
                    try await lab.becomesFast(from: "h1c1", to: "h2c1", port: Self.echoPort)
                }
                try await lab.lab.router(of: host).stop()
                await router.end()
            }
        }
    }
}
