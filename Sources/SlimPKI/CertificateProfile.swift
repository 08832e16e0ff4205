internal import Crypto
internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// What stands in the certificates that we make.
enum CertificateProfile {
    /// Clocks of hosts differ, by hours where one takes local time for UTC: a certificate is valid from the day before it
    /// was made.
    private static let clockSkew: TimeInterval = 86_400

    /// A self-signed authority that may sign hosts but no further authorities, as PEM.
    static func authority(
        _ cluster: String, key: P256.Signing.PrivateKey, lifetime: Duration
    ) throws(PKIError) -> String {
        do {
            let name = try DistinguishedName {
                CommonName("\(cluster) authority")
                OrganizationName("Slim")
            }
            let publicKey = Certificate.PublicKey(key.publicKey)
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: publicKey,
                notValidBefore: Date().addingTimeInterval(-clockSkew), notValidAfter: try end(of: lifetime),
                issuer: name, subject: name,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                    SubjectKeyIdentifier(hash: publicKey)
                },
                issuerPrivateKey: Certificate.PrivateKey(key))
            return try certificate.serializeAsPEM().pemString + "\n"
        } catch { throw failure(error) }
    }

    /// A host's certificate, for both sides of a connection, as PEM.
    static func host(
        _ host: String, key: P256.Signing.PublicKey, lifetime: Duration, issuer: Authority
    ) throws(PKIError) -> String {
        do {
            let publicKey = Certificate.PublicKey(key)
            let authorityKey = try issuer.certificate.extensions.subjectKeyIdentifier?.keyIdentifier
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: publicKey,
                notValidBefore: Date().addingTimeInterval(-clockSkew),
                notValidAfter: min(try end(of: lifetime), issuer.certificate.notValidAfter),
                issuer: issuer.certificate.subject,
                subject: try DistinguishedName { CommonName(host) },
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth, .clientAuth])
                    SubjectAlternativeNames([.dnsName(host)])
                    SubjectKeyIdentifier(hash: publicKey)
                    AuthorityKeyIdentifier(keyIdentifier: authorityKey)
                },
                issuerPrivateKey: Certificate.PrivateKey(issuer.key))
            return try certificate.serializeAsPEM().pemString + "\n"
        } catch { throw failure(error) }
    }

    private static func end(of lifetime: Duration) throws(PKIError) -> Date {
        let seconds = lifetime.components.seconds
        // X.509 dates have four digits for the year.
        guard (1...100 * 366 * 86_400).contains(seconds) else {
            throw PKIError(
                .malformed, "a certificate cannot be valid for \(lifetime); choose between a second and a hundred years"
            )
        }
        return Date().addingTimeInterval(TimeInterval(seconds))
    }

    private static func failure(_ error: any Error) -> PKIError {
        error as? PKIError ?? PKIError(.malformed, "the certificate cannot be made: \(error)")
    }
}
