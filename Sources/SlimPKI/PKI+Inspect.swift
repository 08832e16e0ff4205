internal import X509

extension PKI {
    /// What the first certificate of a PEM file says.
    package static func inspect(_ path: String) throws(PKIError) -> CertificateDetails {
        let file = try CertificateFile(path, orElse: "check the path")
        return CertificateDetails(file.leaf, bytes: file.leafBytes)
    }

    /// The host names that a certificate file is for.
    package static func certificateNames(_ path: String) throws(PKIError) -> [String] { try inspect(path).names }

    /// SHA-256 of a certificate file's DER form, lower-case hex: what a peer is pinned to.
    package static func fingerprint(_ path: String) throws(PKIError) -> String { try inspect(path).fingerprint }

    /// Checks that a host's certificate and key belong together, to the host, and to the authority.
    ///
    /// An expired certificate is no error here: ``CertificateDetails/isExpired(at:)`` tells.
    package static func checkCredentials(
        host: String, certificate certificatePath: String, key keyPath: String, authority authorityPath: String
    ) throws(PKIError) -> CertificateDetails {
        let authorities = try CertificateFile(
            authorityPath, orElse: "copy the cluster's ca.crt there, or make one with `slimctl pki init`")
        let hint = "make one with `slimctl pki issue \(host)`"
        let file = try CertificateFile(certificatePath, orElse: hint)
        let details = CertificateDetails(file.leaf, bytes: file.leafBytes)
        let keyBytes = try KeyFiles.read(keyPath, orElse: hint)
        guard let key = try? Certificate.PrivateKey(pemEncoded: String(decoding: keyBytes, as: UTF8.self)) else {
            throw PKIError(.malformed, path: keyPath, "is not a private key in PEM form; \(hint)")
        }
        guard key.publicKey == file.leaf.publicKey else {
            throw PKIError(.keyMismatch, path: keyPath, "is not the key of \(certificatePath); \(hint)")
        }
        guard details.names.contains(host) else {
            throw PKIError(
                .wrongName, path: certificatePath,
                "is for \(details.names.joined(separator: ", ")), not for \(host); \(hint)")
        }
        guard leads(file.chain, to: authorities.chain) else {
            throw PKIError(
                .foreign, path: certificatePath,
                "is not signed by the authority in \(authorityPath); issue it with that authority")
        }
        return details
    }

    /// Whether each certificate is signed by the next, up to one that an authority signed.
    private static func leads(_ chain: [Certificate], to authorities: [Certificate]) -> Bool {
        func signed(_ certificate: Certificate, by signer: Certificate) -> Bool {
            signer.publicKey.isValidSignature(certificate.signature, for: certificate)
        }
        for (index, certificate) in chain.enumerated() {
            if authorities.contains(where: { signed(certificate, by: $0) }) { return true }
            guard index + 1 < chain.count, signed(certificate, by: chain[index + 1]) else { return false }
        }
        return false
    }
}
