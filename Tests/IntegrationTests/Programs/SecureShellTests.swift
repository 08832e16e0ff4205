import SlimLab
import Testing

extension Integration {
    /// sshd starts itself anew for each connection, and drops the environment for sessions: the library gets there by
    /// `/etc/ld.so.preload` only.
    @Suite struct SecureShell {
        private static func server(_ fixture: Fixture, _ folder: TemporaryFolder) -> [String] {
            let options = [
                "AuthorizedKeysFile=\(folder.path)/user.pub", "PidFile=none", "StrictModes=no", "UsePAM=no",
                "PermitRootLogin=yes", "Subsystem=sftp internal-sftp",
            ]
            return [Fixture.helper("with-preload-file.sh"), fixture.binaries.library, "/usr/sbin/sshd", "-D", "-e"]
                + ["-p", "6700", "-f", "/dev/null", "-h", "\(folder.path)/host"] + options.flatMap { ["-o", $0] }
        }

        @Test(arguments: Placement.allCases)
        func `ssh sees overlay addresses in a session, and scp copies`(placement: Placement) async throws {
            let fixture = try Fixture.shared
            let folder = try TemporaryFolder()
            for name in ["host", "user"] {
                try await fixture.check(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(folder.path)/\(name)"], on: nil)
            }
            try await fixture.check(["dd", "if=/dev/urandom", "of=\(folder.path)/file", "bs=1M", "count=16"], on: nil)
            let options = [
                "-F", "none", "-i", "\(folder.path)/user", "-o", "StrictHostKeyChecking=no", "-o",
                "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
            ]
            let address = try fixture.address(placement.server)
            let client = Placement.client
            let server = Self.server(fixture, folder)
            try await fixture.withServer(server, on: placement.server, until: "listening on :: port") { _ in
                try await fixture.expectFastPath(connections: 2, bytes: 16_000_000) {
                    let session = try await fixture.run(
                        ["ssh", "-p", "6700"] + options + ["root@\(address)", "echo $SSH_CONNECTION; exit 7"],
                        on: client)
                    #expect(session.status == 7, "\(session.errorOutput)")
                    let words = session.output.split(whereSeparator: \.isWhitespace)
                    #expect(words.first.map(String.init) == (try fixture.address(client)))
                    #expect(words.suffix(2).map(String.init) == [address, "6700"])
                    let (from, to) = ("\(folder.path)/file", "\(folder.path)/copy")
                    try await fixture.check(
                        ["scp", "-q", "-P", "6700"] + options + [from, "root@\(address):\(to)"], on: client)
                    try await fixture.check(["cmp", from, to], on: nil)
                }
            }
        }
    }
}
