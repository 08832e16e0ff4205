internal import SwiftASN1
internal import X509

/// The certificates in a PEM file: the first is the holder's, those that follow lead to the authority.
struct CertificateFile {
    let leaf: Certificate
    let chain: [Certificate]
    /// The DER form of the first one.
    let leafBytes: [UInt8]

    init(_ path: String, orElse hint: String) throws(PKIError) {
        let bytes = try KeyFiles.read(path, orElse: hint)
        let malformed = PKIError(.malformed, path: path, "holds no certificate in PEM form; \(hint)")
        do {
            let documents = try PEMDocument.parseMultiple(pemString: String(decoding: bytes, as: UTF8.self))
                .filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
            chain = try documents.map { try Certificate(pemDocument: $0) }
            guard let first = chain.first, let document = documents.first else { throw malformed }
            leaf = first
            leafBytes = document.derBytes
        } catch { throw malformed }
    }
}
