internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem

/// What the keeper has of an earlier router, for the new one.
struct KeptState: Sendable {
    struct Listener: Sendable {
        let description: slim_kept
        let original: Handover
        let channel: Handover
    }

    struct Key: Sendable {
        let id: UInt64
        let peer: String
        let secret: [UInt8]
    }

    /// A connection that no router looks after.
    struct Arrival: Sendable {
        /// `nil` when it is still to be read.
        let preamble: [UInt8]?
        let connection: Handover
    }

    var listeners: [Listener] = []
    var arrivals: [Arrival] = []
    var ports: [Port: Handover] = [:]
    var keys: [Key] = []
    /// Whether the keeper has the listeners still, and serves them.
    var hasMore = false

    /// The kept socket of a data port, if it is bound where the port is to be; an old address frees the port.
    func socket(for port: Port, at address: KernelAddress) -> OwnedDescriptor? {
        guard let kept = ports[port]?.take(), let bound = try? StreamSocket.localAddress(kept.raw),
            bound.endpoint == address.endpoint, bound.family == address.family
        else { return nil }
        return kept
    }
}

extension slim_kept {
    init(_ operation: slim_keep_operation, id: UInt64 = 0) {
        self.init()
        header = slim_header(
            magic: UInt32(SLIM_ABI_MAGIC), version: UInt16(SLIM_KEEPER_VERSION), operation: UInt16(operation.rawValue),
            sequence: 0, flags: 0)
        self.id = id
    }

    var operation: slim_keep_operation? {
        guard header.magic == UInt32(SLIM_ABI_MAGIC), header.version == UInt16(SLIM_KEEPER_VERSION) else { return nil }
        return slim_keep_operation(UInt32(header.operation))
    }

    /// The peer's name, of a kept key.
    var peerName: String {
        withUnsafeBytes(of: name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Of an arrival.
    var readPreamble: [UInt8]? {
        let start = MemoryLayout<slim_kept>.offset(of: \.secret) ?? 0
        let bytes = withUnsafeBytes(of: self) { Array($0[start...].prefix(Preamble.byteCount)) }
        return bytes.allSatisfy { $0 == 0 } ? nil : bytes
    }

    mutating func setPeerName(_ text: String) {
        withUnsafeMutableBytes(of: &name) { $0.copyBytes(from: text.utf8.prefix($0.count)) }
    }
}
