import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Nginx {
        /// - Parameter port: where it serves; `/proxy/` asks the same nginx on the port behind it.
        private static func configuration(
            _ folder: TemporaryFolder, address: String, port: Int, isDaemon: Bool = false
        ) throws -> String {
            _ = try folder.write("index.html", String(repeating: "Slim\n", count: 200))
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
                "\($0)_temp_path \(folder.path)/\($0);"
            }
            return try folder.write(
                "nginx.conf",
                """
                worker_processes 2;
                daemon \(isDaemon ? "on" : "off");
                pid \(folder.path)/nginx.pid;
                error_log stderr;
                events { worker_connections 512; }
                http {
                    access_log off;
                    \(temporary.joined(separator: "\n"))
                    server {
                        listen \(port) reuseport;
                        root \(folder.path);
                        location /who { return 200 "$remote_addr $server_addr $server_port\\n"; }
                        location /proxy/ { proxy_pass http://\(address):\(port + 1)/; }
                    }
                    server {
                        listen \(port + 1);
                        root \(folder.path);
                        location /who { return 200 "$remote_addr $server_addr $server_port\\n"; }
                    }
                }

                """)
        }

        private func withNginx(
            _ placement: Placement, port: Int, _ body: (Fixture, _ url: String, [String]) async throws -> Void
        ) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let address = try fixture.address(placement.server)
            let command = ["nginx", "-c", try Self.configuration(folder, address: address, port: port)]
            try await fixture.withSilentServer(command, on: placement.server, port: port) { _ in
                try await body(fixture, "http://\(address):\(port)", command)
            }
        }

        @Test(arguments: Placement.allCases)
        func `workers with reuseport and a reverse proxy serve ab and wrk`(placement: Placement) async throws {
            try await withNginx(placement, port: 6000) { fixture, url, _ in
                let client = try fixture.address(Placement.client)
                let server = try fixture.address(placement.server)
                try await fixture.expectFastPath(connections: 1500, bytes: 3_000_000) {
                    let who = try await fixture.check(["curl", "-sS", "\(url)/who"], on: Placement.client)
                    #expect(who == "\(client) \(server) 6000\n")
                    let proxied = try await fixture.check(["curl", "-sS", "\(url)/proxy/who"], on: Placement.client)
                    #expect(proxied == "\(server) \(server) 6001\n")
                    for path in ["/", "/proxy/"] {
                        let report = try await fixture.check(
                            ["ab", "-q", "-n", "1000", "-c", "16", url + path], on: Placement.client)
                        #expect(report.contains("Complete requests:      1000"))
                        #expect(report.contains("Failed requests:        0"))
                    }
                    let report = try await fixture.check(
                        ["wrk", "-t", "2", "-c", "16", "-d", "1s", "\(url)/"], on: Placement.client)
                    #expect(!report.contains("Socket errors") && !report.contains("Non-2xx"))
                }
            }
        }

        @Test(arguments: Placement.allCases)
        func `a reload under load loses no request`(placement: Placement) async throws {
            try await withNginx(placement, port: 6010) { fixture, url, command in
                try await fixture.expectFastPath(connections: 6000, bytes: 6_000_000) {
                    let load = try fixture.lab.start(
                        fixture.program(["ab", "-q", "-n", "6000", "-c", "8", "\(url)/"], on: Placement.client))
                    for _ in 1...4 {
                        try await Task.sleep(for: .milliseconds(150))
                        try await fixture.check(command + ["-s", "reload"], on: placement.server)
                    }
                    let outcome = try await load.wait()
                    #expect(outcome.status == 0, "\(outcome.errorOutput)")
                    #expect(outcome.output.contains("Complete requests:      6000"))
                    #expect(outcome.output.contains("Failed requests:        0"))
                }
            }
        }

        /// The new program is started without the environment, so the library gets there by `/etc/ld.so.preload`.
        @Test(arguments: Placement.allCases)
        func `an upgrade to a new program under load loses no request`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let address = try fixture.address(placement.server)
            // Only a daemon takes notice of SIGUSR2, and it looks for its program without PATH.
            let configuration = try Self.configuration(folder, address: address, port: 6020, isDaemon: true)
            let helper = [Fixture.helper("with-preload-file.sh"), fixture.binaries.library]
            let pidFile = "\(folder.path)/nginx.pid"
            try await fixture.check(helper + ["/usr/sbin/nginx", "-c", configuration], on: placement.server)
            try await fixture.expectFastPath(connections: 6001, bytes: 6_000_000) {
                let load = try fixture.lab.start(
                    fixture.program(
                        ["ab", "-q", "-n", "6000", "-c", "8", "http://\(address):6020/"], on: Placement.client))
                try await Task.sleep(for: .milliseconds(100))
                let upgrade = """
                    old=$(<\(pidFile)); kill -USR2 $old
                    for i in {1..200}; do [ -s \(pidFile).oldbin ] && [ -s \(pidFile) ] && break; sleep 0.02; done
                    [ $old != $(<\(pidFile)) ] && kill -QUIT $old && while kill -0 $old 2>&-; do sleep 0.02; done
                    """
                try await fixture.check(["bash", "-c", upgrade], on: nil)
                let outcome = try await load.wait()
                #expect(outcome.status == 0, "\(outcome.errorOutput)")
                #expect(outcome.output.contains("Failed requests:        0"))
                // Only the new one is left to answer.
                let who = try await fixture.check(["curl", "-sS", "http://\(address):6020/who"], on: Placement.client)
                #expect(who == "\(try fixture.address(Placement.client)) \(address) 6020\n")
            }
            try await fixture.check(
                ["bash", "-c", "kill $(<\(pidFile)); while [ -e \(pidFile) ]; do sleep 0.02; done"], on: nil)
        }
    }
}
