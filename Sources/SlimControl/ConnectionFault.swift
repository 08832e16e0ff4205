internal import Glibc
internal import NIOCore
internal import NIOSSL

/// What an error of NIO or TLS means to whoever reads the log.
enum ConnectionFault {
    /// - Parameters:
    ///   - peer: the host at the other end, where that is known.
    ///   - own: whose certificate the other end may complain about.
    static func describe(_ error: any Error, peer: String? = nil, own: ControlConfiguration? = nil) -> String {
        switch error {
        case let error as FrameError: "it sent \(error)"
        case let error as IOError: describe(errno: error.errnoCode)
        case is ChannelError: "the connection could not be made in time"
        case NIOSSLError.uncleanShutdown: "the connection was cut"
        default: describe(tls: String(describing: error), peer: peer, own: own)
        }
    }

    private static func describe(errno code: CInt) -> String {
        let text = String(cString: strerror(code)).lowercased()
        return switch code {
        case ECONNREFUSED: "\(text): no router listens there"
        case EHOSTUNREACH, ENETUNREACH: "\(text): check the address and the underlay network"
        case EADDRNOTAVAIL: "\(text): this host does not have its own underlay address"
        default: text
        }
    }

    private static func describe(tls text: String, peer: String?, own: ControlConfiguration?) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "its certificate is not signed by this cluster's authority, or is not valid now; if it has expired, run "
                + "`slimctl pki renew \(peer ?? "HOST")` and send its slimrouter SIGHUP; if not, compare the clocks"
        }
        if let own, text.contains("ALERT_CERTIFICATE_EXPIRED") {
            return
                "it says that \(own.certificatePath) has expired; run `slimctl pki renew \(own.name)` and send slimrouter "
                + "SIGHUP"
        }
        for (mark, meaning) in meanings where text.contains(mark) { return meaning }
        return "TLS failed: \(text)"
    }

    /// Marks in BoringSSL's error texts. The alerts are what the other side says of us.
    private static let meanings = [
        ("ALERT_UNKNOWN_CA", "it does not believe this host's certificate: another authority signed it"),
        ("ALERT_CERTIFICATE_REQUIRED", "it wants a certificate"),
        ("ALERT_BAD_CERTIFICATE", "it does not believe this host's certificate"),
        ("ALERT_CERTIFICATE_UNKNOWN", "it does not believe this host's certificate"),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "it showed no certificate"),
        ("HTTP_REQUEST", "it speaks HTTP, not TLS"),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
        ("UNSUPPORTED_PROTOCOL", "it does not speak TLS 1.3"),
        ("PROTOCOL_VERSION", "it does not speak TLS 1.3"),
        ("eofDuringHandshake", "it closed the connection during the TLS handshake"),
        ("EOF during handshake", "it closed the connection during the TLS handshake"),
    ]

    /// A peer's words, fit for one line of a log.
    static func quote(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
