import Foundation
import SlimLab
import Testing

extension Integration {
    /// The library, by the programs of Tests/Preload: they say the same with it and without.
    @Suite(.serialized) struct Preload {
        private static let sources = Fixture.project + "/Tests/Preload"
        private static let programs = [
            "connect", "accept", "names", "options", "registered", "shared", "limits", "sealed",
        ]
        private static let servers = ["h2c1", "h1c2", "h1c1"]

        /// What the library may expect of a C library, whichever it is.
        private static let expectedSymbols: Set = [
            "__errno_location", "__stack_chk_fail", "clock_gettime", "dlsym", "free", "getenv", "madvise", "memcpy",
            "memmove", "memset", "mmap", "munmap", "posix_memalign", "pthread_setcancelstate", "recvmsg", "sendmsg",
            "setenv",
            "strcmp", "strcpy", "strlen",
        ]
        private static let interposed: Set = [
            "socket", "connect", "bind", "listen", "accept", "accept4", "shutdown", "getpeername", "getsockname",
            "getsockopt", "setsockopt", "epoll_ctl", "prctl", "syscall",
        ]

        static func compile(_ name: String, _ compiler: String, into folder: TemporaryFolder) async throws
            -> String
        {
            let output = "\(folder.path)/\(name)"
            try await Fixture.shared.check(
                [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", output, "\(sources)/\(name).c"],
                on: nil, atMost: .seconds(60))
            return output
        }

        /// Runs a program in h1c1 against a peer that serves already.
        static func run(
            _ program: String, against server: String, overlay: Bool, environment: [String] = []
        ) async throws -> LabProcess.Outcome {
            let fixture = try Fixture.shared
            let addresses = [
                try fixture.address(server), try fixture.address(server, v6: true), try fixture.address("h1c1"),
                try fixture.address("h1c1", v6: true),
            ]
            return try await fixture.run(
                [program] + addresses, on: "h1c1", overlay: overlay, environment: environment, atMost: .seconds(60))
        }

        static func expectSuccess(_ outcome: LabProcess.Outcome, _ what: String) {
            let failures = outcome.output.split(separator: "\n").filter { !$0.hasPrefix("ok ") }
            #expect(outcome.status == 0 && failures.isEmpty, "\(what): status \(outcome.status): \(failures)")
            #expect(outcome.errorOutput == "", "\(what)")
            #expect(outcome.output.contains("ok "), "\(what)")
        }

        private struct Counts {
            var handedOver = 0
            var byOverlay = 0

            static func - (a: Counts, b: Counts) -> Counts {
                Counts(handedOver: a.handedOver - b.handedOver, byOverlay: a.byOverlay - b.byOverlay)
            }
        }

        private struct Status: Decodable {
            let counts: [String: Int]
        }

        /// How both routers have answered requests to connect, so far.
        private static func counts() async throws -> Counts {
            let fixture = try Fixture.shared
            var sum = Counts()
            for host in ["h1", "h2"] {
                let router = "lab:\(fixture.lab.record.name)/\(host)"
                let outcome = try await fixture.slimctl(["status", "--json", "--router", router])
                let status = try JSONDecoder().decode(Status.self, from: Data(outcome.output.utf8))
                sum.handedOver += try #require(status.counts["connectsHandedOver"])
                sum.byOverlay += try #require(status.counts["connectsByOverlay"])
            }
            return sum
        }

        @Test(arguments: ["gcc", "musl-gcc"], programs)
        func `a program does over Slim what it does over the overlay`(compiler: String, program: String) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let peer = try await Self.compile("peer", compiler, into: folder)
            let path = try await Self.compile(program, compiler, into: folder)
            for server in Self.servers {
                // What the kernel does, it does for every libc.
                if compiler == "gcc" {
                    try await fixture.withServer([peer], on: server, overlay: true, until: "ready") { _ in
                        let outcome = try await Self.run(path, against: server, overlay: true)
                        Self.expectSuccess(outcome, "\(program) to \(server) by the overlay")
                    }
                }
                try await fixture.withServer([peer], on: server, until: "ready") { _ in
                    let before = try await Self.counts()
                    let outcome = try await Self.run(path, against: server, overlay: false)
                    Self.expectSuccess(outcome, "\(program) to \(server) by Slim")
                    let used = try await Self.counts() - before
                    #expect(used.handedOver >= 10 && used.handedOver > used.byOverlay, "\(program) to \(server)")
                }
            }
        }

        @Test(arguments: [true, false])
        func `connect waits, is interrupted and times out as ever while the network is silent`(overlay: Bool)
            async throws
        {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let peer = try await Self.compile("peer", "gcc", into: folder)
            let names = try await Self.compile("names", "gcc", into: folder)
            let stalled = try await Self.compile("stalled", "gcc", into: folder)
            try await fixture.withServer([peer], on: "h2c1", overlay: overlay, until: "ready") { _ in
                // The router learns who listens while it can.
                Self.expectSuccess(try await Self.run(names, against: "h2c1", overlay: overlay), "names")
                let before = try await Self.counts()
                // Silent to programs: the router's probes are answered (byte 5 of a preamble, behind 40 bytes of TCP header),
                // or it would have the packet overlay connect.
                let syn = "tcp dport 4800-4807 tcp flags & (syn | ack) == syn"
                let outcome = try await fixture.withFirewall(
                    on: "h2", "udp dport 4789 drop", "\(syn) ip length < 140 drop", "\(syn) @th,360,8 != 1 drop"
                ) { try await Self.run(stalled, against: "h2c1", overlay: overlay) }
                Self.expectSuccess(outcome, "stalled")
                let used = try await Self.counts() - before
                #expect(used.handedOver >= 5 || overlay)
            }
        }

        @Test func `without a router a program gets what the kernel gives, and not a word`() async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            let peer = try await Self.compile("peer", "gcc", into: folder)
            try await fixture.withServer([peer], on: "h2c1", overlay: true, until: "ready") { _ in
                let before = try await Self.counts()
                for program in Self.programs {
                    let path = try await Self.compile(program, "gcc", into: folder)
                    let outcome = try await Self.run(
                        path, against: "h2c1", overlay: false, environment: ["SLIM_ROUTER=@nobody"])
                    Self.expectSuccess(outcome, "\(program) without a router")
                }
                let used = try await Self.counts() - before
                #expect(used.handedOver == 0 && used.byOverlay == 0)
            }
        }

        @Test func `the library needs no other and expects unversioned symbols of libc only`() async throws {
            let fixture = try Fixture.shared
            let library = fixture.binaries.library
            let needed = try await fixture.check(["readelf", "-dW", library], on: nil)
            #expect(needed.contains("Dynamic section"))
            #expect(!needed.contains("(NEEDED)"))
            #expect(!needed.contains("(VERNEED)"))

            var undefined: Set<String> = []
            var defined: Set<String> = []
            for line in try await fixture.check(["readelf", "--dyn-syms", "-W", library], on: nil).split(
                separator: "\n")
            {
                // 1: 0000000000000000     0 NOTYPE  GLOBAL DEFAULT  UND memset
                let fields = line.split(separator: " ").map(String.init)
                guard fields.count == 8, Int(fields[0].dropLast()) != nil, fields[4] != "LOCAL" else { continue }
                if fields[6] == "UND" { undefined.insert(fields[7]) } else { defined.insert(fields[7]) }
            }
            #expect(undefined.subtracting(Self.expectedSymbols) == [])
            #expect(undefined.contains("recvmsg"))
            #expect(defined == Self.interposed)
            let size = try #require(try FileManager.default.attributesOfItem(atPath: library)[.size] as? Int)
            #expect(size < 100_000)
        }
    }
}
