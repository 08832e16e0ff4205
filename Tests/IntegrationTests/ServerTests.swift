import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Servers {
        /// nginx that serves a folder, and `/who` asks.
        static func nginxConfiguration(_ folder: TemporaryFolder, port: Int) throws -> String {
            try folder.write(
                "nginx.conf",
                """
                worker_processes 2;
                daemon off;
                pid \(folder.path)/nginx.pid;
                error_log stderr;
                events { worker_connections 512; }
                http {
                    access_log off;
                    client_body_temp_path \(folder.path)/body;
                    proxy_temp_path \(folder.path)/proxy;
                    fastcgi_temp_path \(folder.path)/fastcgi;
                    uwsgi_temp_path \(folder.path)/uwsgi;
                    scgi_temp_path \(folder.path)/scgi;
                    server {
                        listen \(port);
                        listen [::]:\(port);
                        root \(folder.path);
                        location /who { return 200 "$remote_addr $server_addr\\n"; }
                    }
                }

                """)
        }

        @Test func `nginx serves curl over Slim and sees its overlay address`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            _ = try folder.write("file", String(repeating: "0123456789abcdef", count: 500_000))
            let configuration = try Self.nginxConfiguration(folder, port: 8080)
            let server = try fixture.address("h2c1")
            let server6 = try fixture.address("h2c1", v6: true)
            let clients = (try fixture.address("h1c1"), try fixture.address("h1c1", v6: true))
            try await fixture.withSilentServer(["nginx", "-c", configuration], on: "h2c1", port: 8080) { _ in
                let crossed = try await fixture.vxlanBytes {
                    let who = try await fixture.check(["curl", "-sS", "http://\(server):8080/who"], on: "h1c1")
                    #expect(who == "\(clients.0) \(server)\n")
                    let who6 = try await fixture.check(["curl", "-sS", "http://[\(server6)]:8080/who"], on: "h1c1")
                    #expect(who6 == "\(clients.1) \(server6)\n")
                    let file = "http://h2c1:8080/file"
                    let sum = try await fixture.check(
                        ["bash", "-c", "curl -sS \(file) | cmp - \(folder.path)/file"], on: "h1c1")
                    #expect(sum == "")
                }
                #expect(crossed < 1_000_000)
                // A client without the library is served too.
                let plain = try await fixture.check(
                    ["curl", "-sS", "http://\(server):8080/who"], on: "h1c1", overlay: true)
                #expect(plain == "\(clients.0) \(server)\n")
            }
        }

        @Test func `ab does not see a failed request`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            _ = try folder.write("index.html", "Slim\n")
            let configuration = try Self.nginxConfiguration(folder, port: 8081)
            let url = "http://\(try fixture.address("h2c1")):8081/"
            try await fixture.withSilentServer(["nginx", "-c", configuration], on: "h2c1", port: 8081) { _ in
                let report = try await fixture.check(["ab", "-q", "-n", "2000", "-c", "20", url], on: "h1c1")
                #expect(report.contains("Failed requests:        0"))
                #expect(report.contains("Complete requests:      2000"))
            }
        }

        @Test func `redis keeps what it is given`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let server = try fixture.address("h2c2")
            let command = [
                "redis-server", "--port", "6390", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir",
                folder.path,
            ]
            try await fixture.withServer(command, on: "h2c2", until: "Ready to accept connections") { _ in
                let crossed = try await fixture.vxlanBytes {
                    let client = ["redis-cli", "-h", server, "-p", "6390"]
                    #expect(try await fixture.check(client + ["set", "key", "value"], on: "h1c2") == "OK\n")
                    #expect(try await fixture.check(client + ["get", "key"], on: "h1c1") == "value\n")
                    let clients = try await fixture.check(client + ["client", "list"], on: "h1c1")
                    #expect(clients.contains("addr=\(try fixture.address("h1c1")):"))
                    let load = [
                        "redis-benchmark", "-h", server, "-p", "6390", "-t", "set,get", "-n", "5000", "-c", "20", "-q",
                    ]
                    try await fixture.check(load, on: "h1c1")
                }
                #expect(crossed < 100_000)
            }
        }

        @Test func `a port without a listener refuses`() async throws {
            let fixture = try Fixture.shared
            let url = "http://\(try fixture.address("h2c1")):9/"
            let outcome = try await fixture.run(["curl", "-sS", "-m", "5", url], on: "h1c1")
            // 7: failed to connect.
            #expect(outcome.status == 7)
            #expect(
                outcome.errorOutput.contains("Connection refused") || outcome.errorOutput.contains("Couldn't connect"))
        }

        @Test(arguments: ["client", "server"], Placement.allCases)
        func `a greeting is heard whole when one side has no library`(plain: String, placement: Placement) async throws
        {
            let fixture = try Fixture.shared
            let listeners = ["/usr/bin/python3", Fixture.helper("listeners.py")]
            let server = listeners + ["hundred", "7110"]
            let isServerPlain = plain == "server"
            try await fixture.withServer(server, on: placement.server, overlay: isServerPlain, until: "ready") { _ in
                let ports = (7110..<7130).map(String.init)
                let client = listeners + ["ask", try fixture.address(placement.server)] + ports
                let heard = try await fixture.check(client, on: Placement.client, overlay: !isServerPlain)
                #expect(heard == ports.joined(separator: "\n") + "\n")
            }
        }

        @Test func `a server without the library serves a client with it`() async throws {
            let fixture = try Fixture.shared
            let probe = Fixture.project + "/build/bin/slimprobe"
            let server = [probe, "serve", "-4", "--port", "7100"]
            try await fixture.withServer(server, on: "h2c1", overlay: true, until: "ready") { _ in
                let client = [probe, "connect-echo", try fixture.address("h2c1"), "7100", "--count", "20"]
                try await fixture.check(client, on: "h1c1")
            }
        }
    }
}
