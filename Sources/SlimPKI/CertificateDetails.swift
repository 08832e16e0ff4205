internal import Crypto
package import FoundationEssentials
internal import SwiftASN1
internal import X509

/// What a certificate says.
package struct CertificateDetails: Sendable, Equatable {
    /// The names it is for: the DNS names among its subject alternative names.
    package let names: [String]
    /// SHA-256 of its DER form, lower-case hex.
    package let fingerprint: String
    package let subject: String
    package let issuer: String
    package let notBefore: Date
    package let notAfter: Date
    package let isAuthority: Bool

    /// From the DER form, as a TLS connection gives it.
    package init(der: [UInt8]) throws(PKIError) {
        do { self.init(try Certificate(derEncoded: der), bytes: der) } catch {
            throw PKIError(.malformed, "not an X.509 certificate: \(error)")
        }
    }

    init(_ certificate: Certificate, bytes: [UInt8]) {
        let alternatives = try? certificate.extensions.subjectAlternativeNames
        names = alternatives?.compactMap { if case .dnsName(let name) = $0 { name } else { nil } } ?? []
        fingerprint = SHA256.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
        subject = certificate.subject.description
        issuer = certificate.issuer.description
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
        switch try? certificate.extensions.basicConstraints {
        case .isCertificateAuthority: isAuthority = true
        case .notCertificateAuthority, nil: isAuthority = false
        }
    }

    package func isExpired(at moment: Date = Date()) -> Bool { notAfter <= moment }

    /// How long it is still valid, in whole seconds; negative when it has expired.
    package func remaining(at moment: Date = Date()) -> Duration {
        .seconds(Int64(notAfter.timeIntervalSince(moment)))
    }
}
