internal import NIOCore
internal import Synchronization

/// An authenticated connection to a peer, as senders on any thread see it.
final class Link: Sendable {
    /// More than this waiting for a peer means that it does not read.
    static let maximumPendingBytes = 8 << 20

    let peer: String
    /// Of the certificate that the peer was believed with.
    let fingerprint: String
    private let channel: any Channel
    private let pendingBytes = Atomic<Int>(0)

    init(peer: String, fingerprint: String, channel: any Channel) {
        self.peer = peer
        self.fingerprint = fingerprint
        self.channel = channel
    }

    /// Queues encoded frames, all or none.
    ///
    /// - Returns: `false` when too much is waiting: the connection is then to be dropped.
    func send(_ frames: [ByteBuffer]) -> Bool {
        let bytes = frames.reduce(0) { $0 + $1.readableBytes }
        let total = pendingBytes.add(bytes, ordering: .relaxed).newValue
        guard total <= Self.maximumPendingBytes else { return false }
        guard let last = frames.last else { return true }
        for frame in frames.dropLast() { channel.write(frame, promise: nil) }
        channel.writeAndFlush(last).whenComplete { [self] _ in pendingBytes.subtract(bytes, ordering: .relaxed) }
        return true
    }
}
