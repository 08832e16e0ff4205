import Foundation
import SlimLab
import Testing

extension Integration {
    @Suite struct Haproxy {
        private static let backend = """
            import http.server, socketserver
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = 'HTTP/1.1'
                def do_GET(self):
                    body = self.client_address[0].encode() + b'\\n'
                    self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
                    self.wfile.write(body)
                def log_message(self, *arguments): pass
            class Server(http.server.ThreadingHTTPServer): request_queue_size = 256
            server = Server(('', 6101), Handler); print('ready', flush=True); server.serve_forever()
            """

        /// It runs as a master with a worker that gives up root and the file system.
        private static func configuration(_ folder: TemporaryFolder, backend: String) throws -> String {
            try folder.write(
                "haproxy.cfg",
                """
                global
                    chroot \(folder.path)
                    uid 65534
                    gid 65534
                    maxconn 500
                    log stderr format raw local0 notice
                defaults
                    mode http
                    timeout connect 5s
                    timeout client 10s
                    timeout server 10s
                frontend front
                    bind :6100
                    default_backend back
                backend back
                    server one \(backend):6101 check inter 200ms

                """)
        }

        @Test(arguments: Placement.allCases)
        func `master and worker in a chroot serve on, also while they are reloaded`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let backend = "h2c2"
            let configuration = try Self.configuration(folder, backend: try fixture.address(backend))
            let server = try fixture.address(placement.server)
            try await fixture.withServer(["/usr/bin/python3", "-c", Self.backend], on: backend, until: "ready") { _ in
                let command = ["haproxy", "-W", "-f", configuration]
                try await fixture.withSilentServer(command, on: placement.server, port: 6100) { master in
                    try await fixture.expectFastPath(connections: 2000) {
                        let url = "http://\(server):6100/"
                        #expect(try await fixture.check(["curl", "-sS", url], on: Placement.client) == "\(server)\n")
                        let load = try fixture.lab.start(
                            fixture.program(["ab", "-q", "-n", "2000", "-c", "8", url], on: Placement.client))
                        try await Task.sleep(for: .milliseconds(100))
                        master.send(signal: SIGUSR2)
                        let outcome = try await load.wait()
                        #expect(outcome.status == 0, "\(outcome.errorOutput)")
                        #expect(outcome.output.contains("Failed requests:        0"))
                    }
                }
            }
        }
    }
}
