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
        var isComplete = false
        while !isComplete {
            var refusal: Errno?
            try receive { message in
                switch DiagnosticsAnswer(message, withTraffic: request.idiag_ext != 0, onlyTagged: tags != nil) {
                case .end(let errno):
                    isComplete = true
                    refusal = errno
                case .socket(let record): records.append(record)
                case .nothing: break
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
                guard case .end(let errno) = DiagnosticsAnswer(message) else { return }
                answered += 1
                switch errno {
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
        DiagnosticsAnswer.forEach(
            in: UnsafeRawBufferPointer(rebasing: buffer[..<count]), answering: sequence, body)
    }
}
