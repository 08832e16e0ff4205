import NIOCore
import NIOPosix
import NIOSSL
import SlimRegistry
import Synchronization

/// The other end of a control connection with a will of its own: sends what bytes a test likes.
final class RawPeer: Sendable {
    private let channel: any Channel
    private let received: ReceivedBytes

    private init(channel: any Channel, received: ReceivedBytes) {
        self.channel = channel
        self.received = received
    }

    /// Connects in the clear, or with TLS and a certificate of a cluster. Does not verify the other side.
    static func connect(
        to address: IPAddress, from source: IPAddress, certificateOf host: String? = nil, in cluster: Cluster? = nil
    ) async throws -> RawPeer {
        let received = ReceivedBytes()
        var context: NIOSSLContext?
        if let cluster {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            if let host {
                try cluster.issue(host)
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(cluster.path("\(host).crt")).map {
                    .certificate($0)
                }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(file: cluster.path("\(host).key"), format: .pem))
            }
            context = try NIOSSLContext(configuration: configuration)
        }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { [context] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(received)
                }
            }
            .bind(to: SocketAddress(ipAddress: source.description, port: 0))
            .connect(to: SocketAddress(ipAddress: address.description, port: Int(Cluster.port.rawValue))).get()
        return RawPeer(channel: channel, received: received)
    }

    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    /// Sends a frame of this JSON text.
    func send(json: String) {
        var buffer = ByteBuffer(integer: UInt32(json.utf8.count))
        buffer.writeString(json)
        channel.writeAndFlush(buffer, promise: nil)
    }

    var text: String { received.bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    func close() { channel.close(promise: nil) }

    /// Returns when the other side has closed.
    func waitForClose() async throws { try await channel.closeFuture.get() }

    var isOpen: Bool { channel.isActive }
}

/// Keeps all that arrives.
final class ReceivedBytes: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let bytes = Mutex<[UInt8]>([])

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        bytes.withLock { $0 += buffer.readableBytesView }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
