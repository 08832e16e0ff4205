import Foundation
import SlimPKI
import Testing

@Suite struct PKITests {
    let directory: TemporaryDirectory
    var path: String { directory.path }

    init() throws {
        directory = try TemporaryDirectory()
        try PKI.createAuthority(in: directory.path, clusterName: "blue")
    }

    private func code(_ body: () throws -> Void) -> PKIError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? PKIError)?.code }
    }

    private func check(_ host: String, as name: String? = nil, authority: String? = nil) throws -> CertificateDetails {
        try PKI.checkCredentials(
            host: name ?? host, certificate: "\(path)/\(host).crt", key: "\(path)/\(host).key",
            authority: authority ?? "\(path)/ca.crt")
    }

    @Test func `an authority is a certificate and a private key, and nothing else is left behind`() throws {
        #expect(directory.files == ["ca.crt", "ca.key"])
        #expect(try directory.mode(of: "ca.key") == 0o600)
        #expect(try directory.mode(of: "ca.crt") == 0o644)
        let details = try PKI.inspect("\(path)/ca.crt")
        #expect(details.isAuthority)
        #expect(details.subject.contains("blue authority"))
        #expect(details.subject == details.issuer)
    }

    @Test func `an authority is never overwritten`() throws {
        let before = try directory.contents(of: "ca.key")
        #expect(code { try PKI.createAuthority(in: path) } == .exists)
        try FileManager.default.removeItem(atPath: "\(path)/ca.crt")
        #expect(code { try PKI.createAuthority(in: path) } == .exists)
        #expect(try directory.contents(of: "ca.key") == before)
        #expect(directory.files == ["ca.key"])
    }

    @Test func `the directory of an authority is made when missing`() throws {
        try PKI.createAuthority(in: "\(path)/a/b")
        #expect(FileManager.default.fileExists(atPath: "\(path)/a/b/ca.crt"))
    }

    @Test func `a host's certificate carries its name and belongs to its key and authority`() throws {
        try PKI.issue(host: "h1", directory: path)
        #expect(directory.files == ["ca.crt", "ca.key", "h1.crt", "h1.key"])
        #expect(try directory.mode(of: "h1.key") == 0o600)
        #expect(try PKI.certificateNames("\(path)/h1.crt") == ["h1"])
        let details = try check("h1")
        #expect(!details.isAuthority)
        #expect(!details.isExpired())
        #expect(details.notBefore < Date(timeIntervalSinceNow: -7200), "clocks that are hours behind")
        #expect(details.fingerprint == (try PKI.fingerprint("\(path)/h1.crt")))
        #expect(details.fingerprint.utf8.count == 64)
        #expect(details.remaining() > .seconds(800 * 86_400))
    }

    @Test func `what is made is what openssl verifies for both sides of a connection`() throws {
        try PKI.issue(host: "h1", directory: path)
        for purpose in ["sslserver", "sslclient"] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = [
                "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "\(path)/ca.crt", "\(path)/h1.crt",
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(purpose)")
        }
    }

    @Test func `issuing twice is refused and says what to use`() throws {
        try PKI.issue(host: "h1", directory: path)
        let before = try PKI.fingerprint("\(path)/h1.crt")
        let error = #expect(throws: PKIError.self) { try PKI.issue(host: "h1", directory: path) }
        #expect(error?.code == .exists)
        #expect(error?.description.contains("slimctl pki renew h1") == true)
        #expect(try PKI.fingerprint("\(path)/h1.crt") == before)
    }

    @Test func `renewing keeps the key unless a new one is asked for`() throws {
        try PKI.issue(host: "h1", directory: path, validFor: .seconds(60))
        let key = try directory.contents(of: "h1.key")
        let first = try check("h1")
        try PKI.renew(host: "h1", directory: path)
        let second = try check("h1")
        #expect(try directory.contents(of: "h1.key") == key)
        #expect(second.fingerprint != first.fingerprint)
        #expect(second.notAfter > first.notAfter)
        try PKI.renew(host: "h1", directory: path, newKey: true)
        #expect(try directory.contents(of: "h1.key") != key)
        #expect(try directory.mode(of: "h1.key") == 0o600)
        _ = try check("h1")
        #expect(directory.files == ["ca.crt", "ca.key", "h1.crt", "h1.key"])
    }

    @Test func `a host without a certificate cannot be renewed`() {
        #expect(code { try PKI.renew(host: "h9", directory: path) } == .missing)
    }

    @Test func `a certificate does not outlive its authority`() throws {
        try PKI.createAuthority(in: "\(path)/short", validFor: .seconds(1000))
        try PKI.issue(host: "h1", directory: "\(path)/short")
        #expect(try PKI.inspect("\(path)/short/h1.crt").notAfter == PKI.inspect("\(path)/short/ca.crt").notAfter)
    }

    @Test func `lifetimes that no certificate can have are refused`() {
        for lifetime in [Duration.zero, .seconds(-5), .seconds(Int64.max)] {
            #expect(code { try PKI.issue(host: "h1", directory: path, validFor: lifetime) } == .malformed)
        }
        #expect(directory.files == ["ca.crt", "ca.key"])
    }

    @Test(arguments: ["", "ca", "H1", "a/b", "../x", "-a", "a.", "h 1", "h\n1", "é", String(repeating: "a", count: 64)])
    func `names that cannot be a host's are refused`(name: String) {
        #expect(code { try PKI.issue(host: name, directory: path) } == .invalidName)
        #expect(directory.files == ["ca.crt", "ca.key"])
    }

    @Test func `without an authority the error says how to make one`() {
        let error = #expect(throws: PKIError.self) { try PKI.issue(host: "h1", directory: path + "/none") }
        #expect(error?.code == .missing)
        #expect(error?.description.contains("none/ca.crt") == true)
        #expect(error?.description.contains("slimctl pki init") == true)
    }

    @Test func `an authority whose key is another's cannot sign`() throws {
        try PKI.createAuthority(in: "\(path)/other")
        try FileManager.default.removeItem(atPath: "\(path)/ca.key")
        try FileManager.default.copyItem(atPath: "\(path)/other/ca.key", toPath: "\(path)/ca.key")
        #expect(code { try PKI.issue(host: "h1", directory: path) } == .keyMismatch)
    }

    @Test func `credentials that do not fit are told apart`() throws {
        try PKI.issue(host: "h1", directory: path)
        try PKI.issue(host: "h2", directory: path)
        try PKI.createAuthority(in: "\(path)/other")
        #expect(code { _ = try check("h1", as: "h2") } == .wrongName)
        #expect(code { _ = try check("h1", authority: "\(path)/other/ca.crt") } == .foreign)
        #expect(code { _ = try check("h3") } == .missing)
        #expect(code { _ = try check("h1", authority: "\(path)/h1.key") } == .malformed)
        try FileManager.default.removeItem(atPath: "\(path)/h1.key")
        try FileManager.default.copyItem(atPath: "\(path)/h2.key", toPath: "\(path)/h1.key")
        #expect(code { _ = try check("h1") } == .keyMismatch)
    }

    @Test func `files that are no certificates are refused with their name`() throws {
        for text in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            try text.write(toFile: "\(path)/x.crt", atomically: true, encoding: .utf8)
            let error = #expect(throws: PKIError.self) { try PKI.inspect("\(path)/x.crt") }
            #expect(error?.code == .malformed)
            #expect(error?.description.contains("x.crt") == true)
        }
        #expect(code { _ = try PKI.inspect(path) } == .inaccessible)
        #expect(code { _ = try PKI.inspect("/dev/zero") } == .malformed)
        #expect(throws: PKIError.self) { try CertificateDetails(der: [0x30, 0x80, 0xff]) }
    }
}
