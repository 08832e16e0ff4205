import SlimLab
import Testing

extension Integration {
    @Suite struct Java {
        @Test func `blocking sockets, selectors, asynchronous channels and HttpServer work everywhere`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            try await fixture.check(["javac", "-nowarn", "-d", folder.path, Fixture.helper("Echo.java")], on: nil)
            let java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", folder.path, "Echo"]
            for placement in Placement.allCases {
                let address = try fixture.address(placement.server)
                for (index, kind) in ["blocking", "selector", "asynchronous", "http"].enumerated() {
                    let port = "\(6600 + index)"
                    try await fixture.withServer(java + [kind, port], on: placement.server, until: "ready") { _ in
                        let isWeb = kind == "http"
                        let client = isWeb ? ["get", "http://\(address):\(port)/"] : ["ask", address, port]
                        try await fixture.expectFastPath(connections: isWeb ? 1 : 22) {
                            let answer = try await fixture.check(java + client, on: Placement.client)
                            #expect(answer == (isWeb ? "\(try fixture.address(Placement.client))\n" : "ok \(port)\n"))
                        }
                    }
                }
            }
        }
    }
}
