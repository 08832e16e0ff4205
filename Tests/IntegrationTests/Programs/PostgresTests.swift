import Testing

extension Integration {
    @Suite struct Postgres {
        @Test func `psql and pgbench work everywhere, also with a connection per transaction`() async throws {
            let fixture = try Fixture.shared
            let cluster = try await PostgresCluster(fixture)
            for placement in Placement.allCases {
                try await cluster.withServer(fixture, on: placement.server) { address in
                    try await exercise(fixture, cluster, address)
                }
            }
        }

        private func exercise(_ fixture: Fixture, _ cluster: PostgresCluster, _ address: String) async throws {
            let client = Placement.client
            let psql = cluster.psql(address) + ["-c"]
            let pgbench = ["\(cluster.programs)/pgbench"] + PostgresCluster.target(address)
            try await fixture.expectFastPath(connections: 300, bytes: 10_000_000) {
                let seen = try await fixture.check(psql + ["select host(inet_client_addr())"], on: client)
                #expect(seen == "\(try fixture.address(client))\n")
                let text = try await fixture.check(psql + ["select repeat('x', 10000000)"], on: client)
                #expect(text.utf8.count == 10_000_001)
                try await fixture.check(pgbench + ["-i", "-q", "-s", "1", "postgres"], on: client)
                for options in [["-t", "100"], ["-C", "-S", "-t", "60"]] {
                    let report = try await fixture.check(
                        pgbench + ["-n", "-c", "5", "-j", "2"] + options + ["postgres"], on: client)
                    #expect(report.contains("number of failed transactions: 0"))
                }
            }
        }
    }
}
