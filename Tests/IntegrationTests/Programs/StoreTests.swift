import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Stores {
        @Test(arguments: Placement.allCases)
        func `redis answers redis-cli and redis-benchmark`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let command = [
                "redis-server", "--port", "6200", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir",
                folder.path,
            ]
            try await fixture.withServer(command, on: placement.server, until: "Ready to accept connections") { _ in
                let target = ["-h", try fixture.address(placement.server), "-p", "6200"]
                let client = ["redis-cli"] + target
                let load =
                    ["redis-benchmark"] + target + ["-t", "set,get", "-n", "10000", "-c", "50", "-d", "512", "-q"]
                try await fixture.expectFastPath(connections: 100, bytes: 5_000_000) {
                    #expect(try await fixture.check(client + ["set", "key", "value"], on: Placement.client) == "OK\n")
                    #expect(try await fixture.check(client + ["get", "key"], on: Placement.client) == "value\n")
                    let clients = try await fixture.check(client + ["client", "list"], on: Placement.client)
                    #expect(clients.contains("addr=\(try fixture.address(Placement.client)):"))
                    try await fixture.check(load, on: Placement.client)
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `memcached with several threads keeps what it is given`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let script = """
                import socket, sys, concurrent.futures
                def one(index):
                    value = b'x' * (index * 100)
                    s = socket.create_connection((sys.argv[1], 6210), 10)
                    f = s.makefile('rb')
                    s.sendall(b'set k%d 0 0 %d\\r\\n%s\\r\\n' % (index, len(value), value))
                    assert f.readline() == b'STORED\\r\\n'
                    s.sendall(b'get k%d\\r\\n' % index)
                    f.readline()
                    assert f.read(len(value)) == value
                with concurrent.futures.ThreadPoolExecutor(16) as pool: print(len(list(pool.map(one, range(500)))))
                """
            // It refuses to run as root.
            let command = [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "memcached", "-p", "6210", "-U", "0",
                "-t",
                "2",
            ]
            try await fixture.withSilentServer(command, on: placement.server, port: 6210) { _ in
                try await fixture.expectFastPath(connections: 500, bytes: 20_000_000) {
                    let address = try fixture.address(placement.server)
                    #expect(
                        try await fixture.check(["/usr/bin/python3", "-c", script, address], on: Placement.client)
                            == "500\n")
                }
            }
        }
    }
}
