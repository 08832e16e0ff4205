import Foundation
import SlimLab
import Testing

extension Integration {
    /// The library where something is wrong with what is around it: a program does what it does without the library.
    @Suite struct Surroundings {
        /// Runs a program of Tests/Preload against a peer on the plain overlay.
        private func expectSuccess(
            of program: String, environment: [String], _ sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> PathReport {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let peer = try await Preload.compile("peer", "gcc", into: folder)
            let path = try await Preload.compile(program, "gcc", into: folder)
            return try await fixture.withServer([peer], on: "h2c1", overlay: true, until: "ready") { _ in
                try await fixture.path {
                    let outcome = try await Preload.run(
                        path, against: "h2c1", overlay: false, environment: environment)
                    Preload.expectSuccess(outcome, "\(program) with \(environment)")
                }
            }
        }

        @Test(
            arguments: [
                "@nobody", "@", "none", "/nowhere/at/all", "/dev/null", "/", String(repeating: "x", count: 107),
                "@" + String(repeating: "x", count: 107), "/" + String(repeating: "long", count: 1000),
                "\u{1}\u{2} =%n",
            ])
        func `a SLIM_ROUTER that leads nowhere gives plain calls`(name: String) async throws {
            let report = try await expectSuccess(of: "names", environment: ["SLIM_ROUTER=\(name)"])
            #expect(report.handedOver == 0 && report.byOverlay == 0)
        }

        @Test func `an empty SLIM_ROUTER is none given`() async throws {
            let report = try await expectSuccess(of: "names", environment: ["SLIM_ROUTER="])
            #expect(report.byOverlay > 0)
        }

        @Test(arguments: ["garbage", "almost", "version", "rude", "stream", "deaf", "full"])
        func `somebody else at the router's place gives plain calls`(kind: String) async throws {
            let fixture = try Fixture.shared
            let command = ["python3", HostileLab.helpers + "/fake_router.py", kind, "fake-\(kind)"]
            try await fixture.withServer(command, on: "h1c1", overlay: true, until: "ready") { _ in
                // Who never answers costs a program three seconds, then none for ten.
                let programs = ["deaf", "full"].contains(kind) ? ["names"] : ["names", "connect"]
                for program in programs {
                    let report = try await expectSuccess(of: program, environment: ["SLIM_ROUTER=@fake-\(kind)"])
                    #expect(report.handedOver == 0 && report.byOverlay == 0)
                }
            }
        }

        @Test func `a server that listens again waits for a router that has just started`() async throws {
            let fixture = try Fixture.shared
            let restart = """
                import socket, threading
                first = socket.create_server(('', 7402))
                threading.Timer(0.3, first.close).start()
                second = socket.create_server(('', 7402))
                print('ok')
                """
            let command = ["python3", HostileLab.helpers + "/fake_router.py", "starting", "fake-starting"]
            try await fixture.withServer(command, on: "h1c1", overlay: true, until: "ready") { _ in
                let outcome = try await fixture.run(
                    ["python3", "-c", restart], on: "h1c1", environment: ["SLIM_ROUTER=@fake-starting"])
                #expect(outcome.output == "ok\n", "\(outcome.errorOutput)")
            }
        }

        @Test(arguments: [0, 2, 3, 65535])
        func `a library of another version is told so, and makes plain calls`(version: Int) async throws {
            try await Fixture.withLab("version-\(version)") { fixture in
                let lab = HostileLab(fixture: fixture)
                try await lab.attack("versions", "\(version)")
                #expect(try lab.logged("version \(version) of the local protocol") == 1)
            }
        }

        private static let prober = """
            import os, socket, sys
            kind, address = sys.argv[1:3]
            warm = socket.create_connection((address, 7400))
            if kind.startswith('chroot'): os.chroot(sys.argv[3]); os.chdir('/')
            if kind.endswith('setuid'): os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
            listener = socket.create_server(('', 7401))
            for index in range(10):
                with socket.create_connection((address, 7400)) as s:
                    s.sendall(b'x'); assert s.recv(1) == b'x'; assert s.getpeername() == (address, 7400), s.getpeername()
                with socket.create_connection((sys.argv[4], 7401)) as s:
                    c, name = listener.accept(); assert name == s.getsockname(), name
                    s.sendall(b'y'); assert c.recv(1) == b'y'; c.close()
            warm.sendall(b'z'); assert warm.recv(1) == b'z'
            print('ok')
            """

        @Test(arguments: ["chroot", "setuid", "chroot-setuid"])
        func `a program that gives up root or the file system stays on the fast path`(kind: String) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let server = [Fixture.project + "/build/bin/slimprobe", "serve", "-4", "--port", "7400"]
            let addresses = (try fixture.address("h2c1"), try fixture.address("h1c1"))
            let prober = ["/usr/bin/python3", "-c", Self.prober, kind, addresses.0, folder.path, addresses.1]
            try await fixture.withServer(server, on: "h2c1", until: "ready") { _ in
                try await fixture.expectFastPath(connections: 21) {
                    let answer = try await fixture.check(prober, on: "h1c1")
                    #expect(answer == "ok\n")
                }
            }
        }

        @Test func `a router that is known by a path is out of reach in a chroot: plain calls`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let server = [Fixture.project + "/build/bin/slimprobe", "serve", "-4", "--port", "7400"]
            let addresses = (try fixture.address("h2c1"), try fixture.address("h1c1"))
            let prober = ["/usr/bin/python3", "-c", Self.prober, "chroot", addresses.0, folder.path, addresses.1]
            try await fixture.withServer(server, on: "h2c1", until: "ready") { _ in
                let report = try await fixture.path {
                    let environment = ["SLIM_ROUTER=\(folder.path)/none"]
                    let answer = try await fixture.check(prober, on: "h1c1", environment: environment)
                    #expect(answer == "ok\n")
                }
                #expect(report.handedOver == 0 && report.byOverlay == 0)
            }
        }

        /// The loader passes over a library with a path where the program gains privileges.
        @Test func `a set-user-ID program is on the plain overlay`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let peer = try await Preload.compile("peer", "gcc", into: folder)
            let names = try await Preload.compile("names", "gcc", into: folder)
            let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let targets = ["h2c1", "h1c1"].flatMap { [($0, false), ($0, true)] }
            let arguments = try targets.map { try fixture.address($0.0, v6: $0.1) }
            for isPrivileged in [true, false] {
                try await fixture.check(["chmod", isPrivileged ? "4755" : "0755", names], on: nil)
                try await fixture.withServer([peer], on: "h2c1", until: "ready") { _ in
                    let report = try await fixture.path {
                        let outcome = try await fixture.run(nobody + [names] + arguments, on: "h1c1")
                        Preload.expectSuccess(outcome, "names as nobody")
                    }
                    #expect((report.handedOver == 0) == isPrivileged, "\(report)")
                }
            }
        }
    }
}
