internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import SystemPackage

/// One request to a router and its answer, on a connection of their own.
struct AdminExchange {
    struct Answer: Sendable {
        var status: HTTPResponseStatus
        var body: ByteBuffer
    }

    static let missing = Errno.noSuchFileOrDirectory.rawValue
    static let refused = Errno.connectionRefused.rawValue
    static let forbidden = Errno.permissionDenied.rawValue

    /// A list of all connections of a busy host is some tens of megabytes.
    private static let largestAnswerBytes = 256 << 20
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    static func connect(to path: String) async throws -> AdminExchange {
        let channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                    wrappingChannelSynchronously: channel)
            }
        }
        return AdminExchange(channel: channel)
    }

    func request(_ method: HTTPMethod, _ path: String, body: ByteBuffer, timeout: TimeAmount) async throws -> Answer {
        // Closing is what a waiting reader notices.
        let underlying = channel.channel
        let timer = underlying.eventLoop.scheduleTask(in: timeout) { underlying.close(promise: nil) }
        defer { timer.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            var head = HTTPRequestHead(version: .http1_1, method: method, uri: path)
            head.headers.add(name: "host", value: "slim")
            head.headers.add(name: "connection", value: "close")
            if body.readableBytes > 0 {
                head.headers.add(name: "content-type", value: "application/json")
                head.headers.add(name: "content-length", value: "\(body.readableBytes)")
            }
            // In one piece: a router that answers and closes after the head must not meet a write that comes late.
            let content: [HTTPClientRequestPart] = body.readableBytes > 0 ? [.body(.byteBuffer(body))] : []
            try await outbound.write(contentsOf: [.head(head)] + content + [.end(nil)])
            return try await Self.answer(from: inbound)
        }
    }

    private static func answer(from inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws
        -> Answer
    {
        var status: HTTPResponseStatus?
        var body = ByteBuffer()
        for try await part in inbound {
            switch part {
            case .head(let head): status = head.status
            case .body(var part):
                body.writeBuffer(&part)
                guard body.readableBytes <= largestAnswerBytes else { throw ChannelError.inputClosed }
            case .end:
                if let status { return Answer(status: status, body: body) }
            }
        }
        throw ChannelError.eof
    }
}
