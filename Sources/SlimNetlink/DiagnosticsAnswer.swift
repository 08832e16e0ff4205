internal import CMinimalNetlink
internal import SystemPackage

/// What one message of the kernel's socket diagnostics says.
enum DiagnosticsAnswer {
    /// The list is complete, or a request has been answered: with a refusal, or done.
    case end(Errno?)
    case socket(SocketRecord)
    case nothing

    /// - Parameters:
    ///   - withTraffic: the request was for what the kernel counts, too.
    ///   - onlyTagged: leaves out sockets without an attribute of BPF storage.
    init(_ message: UnsafePointer<nlmsghdr>, withTraffic: Bool = false, onlyTagged: Bool = false) {
        switch CInt(message.pointee.nlmsg_type) {
        case NLMSG_DONE: self = .end(nil)
        case NLMSG_ERROR: self = .end(Self.refusal(message))
        default:
            guard !onlyTagged || Self.attribute(UInt16(INET_DIAG_SK_BPF_STORAGES), of: message) != nil,
                let body = Self.payload(message, as: inet_diag_msg.self),
                let record = SocketRecord(body, withTraffic ? Self.traffic(message) : nil)
            else {
                self = .nothing
                return
            }
            self = .socket(record)
        }
    }

    /// Hands on the messages of one datagram that answer a request. The datagram is aligned as `nlmsghdr` is.
    static func forEach(
        in datagram: UnsafeRawBufferPointer, answering sequence: UInt32, _ body: (UnsafePointer<nlmsghdr>) -> Void
    ) {
        var rest = CInt(datagram.count)
        var next = datagram.baseAddress.map { $0.assumingMemoryBound(to: nlmsghdr.self) }
        // The library takes lengths beyond 31 bits for negative ones, and lets them pass.
        while let message = next, mnl_nlmsg_ok(message, rest), message.pointee.nlmsg_len <= UInt32(datagram.count) {
            if message.pointee.nlmsg_seq == sequence { body(message) }
            next = mnl_nlmsg_next(message, &rest).map { UnsafePointer($0) }
        }
    }

    private static func payload<Body>(_ message: UnsafePointer<nlmsghdr>, as type: Body.Type) -> Body? {
        guard mnl_nlmsg_get_payload_len(message) >= MemoryLayout<Body>.size else { return nil }
        return mnl_nlmsg_get_payload(message)?.loadUnaligned(as: type)
    }

    /// The attribute that a dump with `INET_DIAG_INFO` adds.
    private static func traffic(_ message: UnsafePointer<nlmsghdr>) -> SocketTraffic? {
        attribute(UInt16(INET_DIAG_INFO), of: message).flatMap { SocketTraffic($0) }
    }

    /// What follows the fixed part of an answer.
    private static func attribute(_ type: UInt16, of message: UnsafePointer<nlmsghdr>) -> UnsafeRawBufferPointer? {
        guard let start = mnl_nlmsg_get_payload_offset(message, MemoryLayout<inet_diag_msg>.size),
            let end = mnl_nlmsg_get_payload_tail(message)
        else { return nil }
        var attribute = start.assumingMemoryBound(to: nlattr.self)
        while mnl_attr_ok(attribute, CInt(end - UnsafeMutableRawPointer(attribute))) {
            if mnl_attr_get_type(attribute) == type {
                return UnsafeRawBufferPointer(
                    start: mnl_attr_get_payload(attribute), count: Int(mnl_attr_get_payload_len(attribute)))
            }
            attribute = mnl_attr_next(attribute)
        }
        return nil
    }

    private static func refusal(_ message: UnsafePointer<nlmsghdr>) -> Errno? {
        guard let code = payload(message, as: CInt.self), code != 0 else { return nil }
        return Errno(rawValue: 0 &- code)
    }
}
