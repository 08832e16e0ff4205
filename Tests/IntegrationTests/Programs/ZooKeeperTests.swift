import SlimLab
import Testing

extension Integration {
    @Suite struct ZooKeeper {
        private static let java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1"]

        private static func classPath(_ folder: TemporaryFolder) throws -> String {
            _ = try folder.write(
                "log4j.properties",
                """
                log4j.rootLogger=ERROR, C
                log4j.appender.C=org.apache.log4j.ConsoleAppender
                log4j.appender.C.layout=org.apache.log4j.SimpleLayout

                """)
            return "\(folder.path):/usr/share/java/zookeeper.jar"
        }

        @Test(arguments: Placement.allCases)
        func `what one client creates another finds`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let classPath = try Self.classPath(folder)
            let configuration = try folder.write(
                "zoo.cfg",
                """
                tickTime=2000
                dataDir=\(folder.path)/data
                clientPort=6910
                admin.enableServer=false
                4lw.commands.whitelist=*

                """)
            let zookeeper = Self.java + ["-cp", classPath]
            let server = zookeeper + ["org.apache.zookeeper.server.quorum.QuorumPeerMain", configuration]
            try await fixture.withSilentServer(server, on: placement.server, port: 6910) { _ in
                let address = try fixture.address(placement.server)
                let client = zookeeper + ["org.apache.zookeeper.ZooKeeperMain", "-server", "\(address):6910"]
                let words = { (command: String) in
                    ["bash", "-c", "echo \(command) | socat -t5 - TCP:\(address):6910"]
                }
                // It answers "imok" before it serves anybody.
                let serves = ["bash", "-c", "echo srvr | socat -t5 - TCP:\(address):6910 | grep -q Mode:"]
                try await eventually("ZooKeeper serves") {
                    try await fixture.run(serves, on: Placement.client).status == 0
                }
                try await fixture.expectFastPath(connections: 4) {
                    let well = try await fixture.check(words("ruok"), on: Placement.client)
                    #expect(well == "imok")
                    try await fixture.check(client + ["create", "/slim", "carried"], on: Placement.client)
                    let found = try await fixture.check(client + ["get", "/slim"], on: Placement.client)
                    #expect(found.contains("carried\n"))
                    let connections = try await fixture.check(words("cons"), on: Placement.client)
                    let own = try fixture.address(Placement.client)
                    #expect(connections.contains("/\(own):"), "\(connections)")
                }
            }
        }
    }
}
