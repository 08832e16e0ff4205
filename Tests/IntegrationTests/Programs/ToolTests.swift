import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Tools {
        @Test(arguments: Placement.allCases)
        func `socat forks for each connection and carries bytes both ways`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let file = "\(folder.path)/file"
            try await fixture.check(["dd", "if=/dev/urandom", "of=\(file)", "bs=1M", "count=8"], on: nil)
            let server = ["socat", "-d", "-d", "TCP-LISTEN:6800,fork,reuseaddr", "EXEC:cat"]
            try await fixture.withServer(server, on: placement.server, until: "listening on") { _ in
                try await fixture.expectFastPath(connections: 3, bytes: 40_000_000) {
                    let client =
                        "socat -t5 - TCP:\(try fixture.address(placement.server)):6800 <\(file) | cmp - \(file)"
                    for _ in 1...3 {
                        try await fixture.check(["bash", "-o", "pipefail", "-c", client], on: Placement.client)
                    }
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `sockperf loses no message`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let server = ["sockperf", "server", "--tcp", "-i", "0.0.0.0", "-p", "6810"]
            try await fixture.withServer(server, on: placement.server, until: "to block on socket") { _ in
                try await fixture.expectFastPath {
                    let report = try await fixture.check(
                        ["sockperf", "ping-pong", "--tcp", "-i", try fixture.address(placement.server)]
                            + ["-p", "6810", "-t", "1"], on: Placement.client)
                    #expect(
                        report.contains(
                            "# dropped messages = 0; # duplicated messages = 0; # out-of-order messages = 0"))
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `curl uploads, downloads and uses several connections`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            try await fixture.check(["dd", "if=/dev/urandom", "of=\(folder.path)/file", "bs=1M", "count=8"], on: nil)
            let server = ["/usr/bin/python3", "-u", "-m", "http.server", "6820", "--directory", folder.path]
            try await fixture.withServer(server, on: placement.server, until: "Serving HTTP") { _ in
                let url = "http://\(try fixture.address(placement.server)):6820/file"
                try await fixture.expectFastPath(connections: 5, bytes: 40_000_000) {
                    let outputs = (1...4).flatMap { ["-o", "\(folder.path)/copy\($0)", url] }
                    try await fixture.check(["curl", "-sS", "--fail", "--parallel"] + outputs, on: Placement.client)
                    for index in 1...4 {
                        try await fixture.check(["cmp", "\(folder.path)/file", "\(folder.path)/copy\(index)"], on: nil)
                    }
                    let head = try await fixture.check(
                        ["curl", "-sS", "-r", "0-9", "-I", "-w", "%{local_ip} %{remote_ip}", url], on: Placement.client)
                    let addresses = "\(try fixture.address(Placement.client)) \(try fixture.address(placement.server))"
                    #expect(head.hasSuffix(addresses))
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `iperf3 with one stream and several, in one direction, the other, and both at once`(placement: Placement)
            async throws
        {
            let fixture = try Fixture.shared
            let client = ["iperf3", "-c", try fixture.address(placement.server), "-p", "6830", "-n", "64M"]
            for options in [[], ["-R"], ["-P", "4"], ["-P", "4", "-R"], ["--bidir"]] {
                // One server for each: between two tests it does not listen.
                let server = ["iperf3", "-s", "-1", "-p", "6830", "--forceflush"]
                try await fixture.withServer(server, on: placement.server, until: "Server listening") { _ in
                    try await fixture.expectFastPath(connections: 2, bytes: 64 << 20) {
                        try await fixture.check(client + options, on: Placement.client)
                    }
                }
            }
        }
    }
}
