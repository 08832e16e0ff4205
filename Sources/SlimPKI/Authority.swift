internal import Crypto
internal import FoundationEssentials
internal import X509

/// A certificate authority that can sign: its certificate and the key that belongs to it.
struct Authority {
    let certificate: Certificate
    let key: P256.Signing.PrivateKey

    /// Reads `ca.crt` and `ca.key`.
    init(directory: String) throws(PKIError) {
        let paths = AuthorityPaths(directory)
        let hint = "make an authority with `slimctl pki init --directory \(directory)`"
        certificate = try CertificateFile(paths.certificate, orElse: hint).leaf
        key = try Self.readKey(paths.key, orElse: hint)
        guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else {
            throw PKIError(
                .keyMismatch, path: paths.key, "is not the key of \(paths.certificate); restore the one that is")
        }
        guard certificate.notValidAfter > Date() else {
            throw PKIError(
                .expired, path: paths.certificate,
                "expired on \(certificate.notValidAfter.formatted(.iso8601)); make a new authority and issue every host's certificate anew"
            )
        }
    }

    /// Signs a certificate for a host, as PEM. It ends when the authority does, at the latest.
    func certificate(host: String, key: P256.Signing.PublicKey, lifetime: Duration) throws(PKIError) -> String {
        try CertificateProfile.host(host, key: key, lifetime: lifetime, issuer: self)
    }

    static func readKey(_ path: String, orElse hint: String) throws(PKIError) -> P256.Signing.PrivateKey {
        let bytes = try KeyFiles.read(path, orElse: hint)
        do { return try P256.Signing.PrivateKey(pemRepresentation: String(decoding: bytes, as: UTF8.self)) } catch {
            throw PKIError(.malformed, path: path, "is not a P-256 private key in PEM form; \(hint)")
        }
    }
}
