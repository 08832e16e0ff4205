internal import CMinimalNetlink
internal import SlimSystem
internal import SystemPackage

/// A socket diagnostics socket and the buffer that it sends from and receives into.
///
/// Sendable because it has one owner, the mutex in ``SocketDiagnostics``, which lets one thread in at a time.
struct DiagnosticsChannel: ~Copyable, @unchecked Sendable {
    /// So many requests fit the buffer, and so many refusals the socket, by a wide margin.
    static let requestsInBatch = 64
    private static let bufferBytes = 64 * 1024

    private let descriptor: OwnedDescriptor
    private let buffer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 8)
    }

    deinit { buffer.deallocate() }

    /// Collects what answers a dump request: what was there all the time, and perhaps what came or went meanwhile.
    ///
    /// - Parameter tags: a BPF map of the kind that sockets carry: then only those that carry something.
    mutating func dump(_ request: inet_diag_req_v2, tags: CInt? = nil) throws(Errno) -> [SocketRecord] {
        try send(CollectionOfOne(request), type: SOCK_DIAG_BY_FAMILY, flags: NLM_F_DUMP, tags: tags)
        var records: [SocketRecord] = []
        let isTrafficWanted = request.idiag_ext != 0
        var isComplete = false
        while !isComplete {
            var refusal: Errno?
            try receive { message in
                switch CInt(message.pointee.nlmsg_type) {
                case NLMSG_DONE: isComplete = true
                case NLMSG_ERROR:
                    isComplete = true
                    refusal = Self.refusal(message)
                default:
                    if tags != nil, Self.attribute(UInt16(INET_DIAG_SK_BPF_STORAGES), of: message) == nil { break }
                    if let body = Self.payload(message, as: inet_diag_msg.self),
                        let record = SocketRecord(body, isTrafficWanted ? Self.traffic(message) : nil)
                    {
                        records.append(record)
                    }
                }
            }
            if let refusal { throw refusal }
        }
        return records
    }

    /// Sends one batch of destroy requests and counts what they did.
    mutating func destroy(_ requests: [inet_diag_req_v2]) throws(Errno) -> (destroyed: Int, refusal: Errno?) {
        try send(requests, type: SOCK_DESTROY, flags: NLM_F_ACK)
        var answered = 0
        var destroyed = 0
        var refusal: Errno?
        while answered < requests.count {
            try receive { message in
                guard CInt(message.pointee.nlmsg_type) == NLMSG_ERROR else { return }
                answered += 1
                switch Self.refusal(message) {
                case nil: destroyed += 1
                case .some(.noSuchFileOrDirectory): break
                case .some(let other): refusal = other
                }
            }
        }
        return (destroyed, refusal)
    }

    private mutating func send(
        _ requests: some Collection<inet_diag_req_v2>, type: CInt, flags: CInt, tags: CInt? = nil
    ) throws(Errno) {
        sequence &+= 1
        var end = 0
        for request in requests {
            let header = mnl_nlmsg_put_header(buffer.baseAddress?.advanced(by: end))
            header?.pointee.nlmsg_type = UInt16(type)
            header?.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | flags)
            header?.pointee.nlmsg_seq = sequence
            let body = mnl_nlmsg_put_extra_header(header, MemoryLayout<inet_diag_req_v2>.size)
            body?.storeBytes(of: request, as: inet_diag_req_v2.self)
            if let tags {
                let nest = mnl_attr_nest_start(header, UInt16(INET_DIAG_REQ_SK_BPF_STORAGES))
                mnl_attr_put_u32(header, UInt16(SK_DIAG_BPF_STORAGE_REQ_MAP_FD), UInt32(bitPattern: tags))
                mnl_attr_nest_end(header, nest)
            }
            end += Int(header?.pointee.nlmsg_len ?? 0)
        }
        try systemCall { CMinimalNetlink.send(descriptor.raw, buffer.baseAddress, end, 0) }
    }

    /// Hands on the messages of one datagram that answer the latest request.
    private func receive(_ body: (UnsafePointer<nlmsghdr>) -> Void) throws(Errno) {
        let count = try systemCall { recv(descriptor.raw, buffer.baseAddress, buffer.count, 0) }
        var rest = CInt(count)
        var next = buffer.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: nlmsghdr.self)) }
        while let message = next, mnl_nlmsg_ok(message, rest) {
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
        return Errno(rawValue: -code)
    }
}
