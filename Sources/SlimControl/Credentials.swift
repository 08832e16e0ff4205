internal import FoundationEssentials
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import SlimPKI

/// What this host proves itself with, read from its files at one moment.
struct Credentials: Sendable {
    let server: NIOSSLContext
    let client: NIOSSLContext
    let details: CertificateDetails
    /// The fingerprint of the cluster's authority.
    let authorityFingerprint: String

    /// - Throws: ``ControlError`` that names the file and how to mend it.
    init(_ configuration: ControlConfiguration) throws(ControlError) {
        let certificate = configuration.certificatePath
        do throws(PKIError) {
            details = try PKI.checkCredentials(
                host: configuration.name, certificate: certificate, key: configuration.keyPath,
                authority: configuration.authorityPath)
            authorityFingerprint = try PKI.fingerprint(configuration.authorityPath)
        } catch { throw ControlError(.credentials, error.description) }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map(NIOSSLCertificateSource.certificate)
            let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: configuration.keyPath, format: .pem))
            let roots = NIOSSLTrustRoots.certificates(try NIOSSLCertificate.fromPEMFile(configuration.authorityPath))
            server = try Self.context(
                .makeServerConfigurationWithMTLS(certificateChain: chain, privateKey: key, trustRoots: roots))
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateChain = chain
            configuration.privateKey = key
            configuration.trustRoots = roots
            // Names are checked against the registry once the chain is verified: see PeerAuthenticator.
            configuration.certificateVerification = .noHostnameVerification
            client = try Self.context(configuration)
        } catch {
            throw ControlError(
                .credentials, "\(certificate): TLS does not take it (\(error)); issue it anew with `slimctl pki renew`")
        }
    }

    private static func context(_ configuration: TLSConfiguration) throws -> NIOSSLContext {
        var configuration = configuration
        configuration.minimumTLSVersion = .tlsv13
        configuration.shutdownTimeout = .seconds(1)
        return try NIOSSLContext(configuration: configuration)
    }

    /// Says when the certificate has expired, or will soon.
    func warnOfExpiry(_ path: String, logger: Logger) {
        let now = Date()
        let end = details.notAfter.formatted(.iso8601)
        let warningTime = min(30 * 86_400, details.notAfter.timeIntervalSince(details.notBefore) / 5)
        if details.isExpired(at: now) {
            logger.error("\(path): expired on \(end), so no peer believes this host; run `slimctl pki renew`")
        } else if details.notAfter.timeIntervalSince(now) < warningTime {
            logger.warning("\(path): expires on \(end); run `slimctl pki renew`")
        }
    }
}
