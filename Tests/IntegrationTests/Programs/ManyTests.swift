import SlimLab
import Testing

extension Integration {
    @Suite struct Many {
        private static let connections = ["/usr/bin/python3", Fixture.helper("many.py")]
        private static let listeners = ["/usr/bin/python3", Fixture.helper("listeners.py")]

        @Test(arguments: Placement.allCases)
        func `of 10,000 short connections the server sees each client's own address`(placement: Placement) async throws
        {
            let fixture = try Fixture.shared
            try await fixture.withServer(Self.connections + ["serve", "7060"], on: placement.server, until: "ready") {
                _ in
                try await fixture.expectFastPath(connections: 10_000, bytes: 4_000_000) {
                    let client = Self.connections + ["short", try fixture.address(placement.server), "7060", "10000"]
                    #expect(
                        try await fixture.check(client, on: Placement.client, atMost: .seconds(60)) == "ok 10000\n")
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `5,000 connections at the same time`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            try await fixture.withServer(Self.connections + ["serve", "7061"], on: placement.server, until: "ready") {
                _ in
                try await fixture.expectFastPath(connections: 5000, bytes: 4_000_000) {
                    let client = Self.connections + ["hold", try fixture.address(placement.server), "7061", "5000"]
                    #expect(
                        try await fixture.check(client, on: Placement.client, atMost: .seconds(60)) == "ok 5000\n")
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `a hundred listeners of one program each answer for themselves`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            try await fixture.withServer(Self.listeners + ["hundred", "7100"], on: placement.server, until: "ready") {
                _ in
                let ports = (7100..<7200).map(String.init)
                try await fixture.expectFastPath(connections: 100) {
                    let client = Self.listeners + ["ask", try fixture.address(placement.server)] + ports
                    let answer = try await fixture.check(client, on: Placement.client)
                    #expect(answer == ports.joined(separator: "\n") + "\n")
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `the same port on several addresses of a container`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let addresses = try [false, true].map { try fixture.address(placement.server, v6: $0) }
            let server = Self.listeners + ["addresses", "7200"] + addresses + ["127.0.0.1", "::1"]
            try await fixture.withServer(server, on: placement.server, until: "ready") { _ in
                for address in addresses {
                    try await fixture.expectFastPath {
                        let answer = try await fixture.check(
                            Self.listeners + ["ask", address, "7200"], on: Placement.client)
                        #expect(answer == "\(address) \(address)\n")
                    }
                }
                for address in ["127.0.0.1", "::1"] {
                    let answer = try await fixture.check(
                        Self.listeners + ["ask", address, "7200"], on: placement.server)
                    #expect(answer == "\(address) \(address)\n")
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `a server that never accepts harms nobody else`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let address = try fixture.address(placement.server)
            let other = Self.listeners + ["addresses", "7301", address]
            try await fixture.withServer(Self.listeners + ["deaf", "7300"], on: placement.server, until: "ready") { _ in
                try await fixture.withServer(other, on: placement.server, until: "ready") { _ in
                    let crowd = try await fixture.check(
                        Self.listeners + ["crowd", address, "7300", "300"], on: Placement.client)
                    let established = Int(crowd.split(separator: " ").last?.dropLast() ?? "")
                    // As many as its backlog of 16 has room for, at least.
                    #expect(try #require(established) >= 16)
                    try await fixture.expectFastPath(connections: 2) {
                        let answer = try await fixture.check(
                            Self.listeners + ["ask", address, "7301", "7301"], on: Placement.client)
                        #expect(answer == "\(address) \(address)\n\(address) \(address)\n")
                    }
                }
            }
        }
    }
}
