internal import Crypto
internal import FoundationEssentials
internal import X509

/// The cluster's certificate authority and the certificates of its hosts: ECDSA P-256, files in PEM form.
///
/// A directory holds `ca.crt`, `ca.key` and, per host, `HOST.crt` and `HOST.key`. Keys have mode 0600.
package enum PKI {
    package static let authorityLifetime: Duration = .seconds(3650 * 86_400)
    package static let hostLifetime: Duration = .seconds(825 * 86_400)

    /// Makes a new authority: `ca.crt` and `ca.key` in a directory, which is made when missing.
    ///
    /// - Throws: ``PKIError`` with `.exists` when either file is there: an authority is never overwritten.
    package static func createAuthority(
        in directory: String, clusterName: String = "slim", validFor lifetime: Duration = authorityLifetime
    ) throws(PKIError) {
        guard isHostName(clusterName) else { throw invalidName("cluster name", clusterName) }
        let paths = AuthorityPaths(directory)
        for path in [paths.certificate, paths.key] where KeyFiles.exists(path) {
            throw PKIError(
                .exists, path: path,
                "exists already and an authority is never overwritten; move it away, or choose another directory")
        }
        try KeyFiles.makeDirectory(directory)
        let key = P256.Signing.PrivateKey()
        let certificate = try CertificateProfile.authority(clusterName, key: key, lifetime: lifetime)
        try KeyFiles.write(key.pemRepresentation + "\n", to: paths.key, mode: 0o600, replacing: false)
        do throws(PKIError) {
            try KeyFiles.write(certificate, to: paths.certificate, mode: 0o644, replacing: false)
        } catch {
            KeyFiles.remove(paths.key)
            throw error
        }
    }

    /// Makes a key and a certificate for a host: `HOST.crt` and `HOST.key` beside the authority.
    ///
    /// The certificate never outlives the authority.
    /// - Throws: ``PKIError`` with `.exists` when the host has a certificate (then ``renew(host:directory:validFor:newKey:)``).
    package static func issue(
        host: String, directory: String, validFor lifetime: Duration = hostLifetime
    ) throws(PKIError) {
        let paths = try HostPaths(host, in: directory)
        guard !KeyFiles.exists(paths.certificate) else {
            throw PKIError(.exists, path: paths.certificate, "exists already; use `slimctl pki renew \(host)`")
        }
        let authority = try Authority(directory: directory)
        let key = P256.Signing.PrivateKey()
        let certificate = try authority.certificate(host: host, key: key.publicKey, lifetime: lifetime)
        // A key without a certificate is the rest of an interrupted run: nobody uses it.
        try KeyFiles.write(key.pemRepresentation + "\n", to: paths.key, mode: 0o600, replacing: true)
        try KeyFiles.write(certificate, to: paths.certificate, mode: 0o644, replacing: false)
    }

    /// Gives a host a new certificate, valid from now, in place of the one it has.
    ///
    /// - Parameter newKey: makes a new key too; otherwise the key stays and only `HOST.crt` changes, in one step.
    /// - Throws: ``PKIError`` with `.missing` when the host has no certificate yet.
    package static func renew(
        host: String, directory: String, validFor lifetime: Duration = hostLifetime, newKey: Bool = false
    ) throws(PKIError) {
        let paths = try HostPaths(host, in: directory)
        let authority = try Authority(directory: directory)
        let hint = "use `slimctl pki issue \(host)` for a first certificate"
        _ = try KeyFiles.read(paths.certificate, orElse: hint)
        let key = newKey ? P256.Signing.PrivateKey() : try Authority.readKey(paths.key, orElse: hint)
        let certificate = try authority.certificate(host: host, key: key.publicKey, lifetime: lifetime)
        if newKey { try KeyFiles.write(key.pemRepresentation + "\n", to: paths.key, mode: 0o600, replacing: true) }
        try KeyFiles.write(certificate, to: paths.certificate, mode: 0o644, replacing: true)
    }

    /// Whether a text can name a host in a certificate: up to 63 of `a-z 0-9 - .`, a letter or digit at both ends.
    package static func isHostName(_ text: String) -> Bool {
        let isAlphanumeric = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) }
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last else {
            return false
        }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 45 || $0 == 46 }
    }

    static func invalidName(_ what: String, _ name: String) -> PKIError {
        PKIError(
            .invalidName,
            "\(what) \(name.debugDescription) is not usable: use up to 63 lower-case letters, digits, - and .")
    }
}
