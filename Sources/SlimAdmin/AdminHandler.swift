internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// One connection to the admin socket: gathers a request, has it answered, and is ready for the next.
final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// No request of the API is near as large.
    static let largestBodyBytes = 64 << 10

    private enum State {
        case idle
        case gathering(HTTPRequestHead, ByteBuffer)
        /// Refused before its end: what follows of it is dropped.
        case refusing
        case answering
    }

    private let backend: any AdminBackend
    private let logger: Logger
    private var state = State.idle

    init(backend: any AdminBackend, logger: Logger) {
        self.backend = backend
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.idle, .head(let head)):
            state = .gathering(head, ByteBuffer())
        case (.gathering(let head, var body), .body(var part)):
            guard body.readableBytes + part.readableBytes <= Self.largestBodyBytes else {
                let error = AdminError(.tooLarge, "the body is larger than \(Self.largestBodyBytes >> 10) KiB")
                return refuse(error, context)
            }
            state = .idle
            body.writeBuffer(&part)
            state = .gathering(head, body)
        case (.gathering(let head, let body), .end):
            state = .answering
            answer(head, body, context)
        default: break
        }
    }

    /// Answers at once and closes: the rest of the request is not worth reading.
    private func refuse(_ error: AdminError, _ context: ChannelHandlerContext) {
        state = .refusing
        respond(Self.encode(error), error.code.rawValue, keepAlive: false, context)
    }

    private func answer(_ head: HTTPRequestHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let (backend, logger, keepAlive) = (backend, logger, head.isKeepAlive)
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let answered = context.eventLoop.makePromise(of: (status: Int, content: ByteBuffer).self)
        answered.completeWithTask { await Self.answer(head, body, backend, logger) }
        answered.futureResult.whenSuccess { answer in
            let (handler, context) = bound.value
            handler.state = .idle
            handler.respond(answer.content, answer.status, keepAlive: keepAlive, context)
        }
    }

    private static func answer(
        _ head: HTTPRequestHead, _ body: ByteBuffer, _ backend: any AdminBackend, _ logger: Logger
    ) async -> (status: Int, content: ByteBuffer) {
        do {
            return (200, try await AdminRoute(head.method, head.uri).answer(from: backend, body: body))
        } catch let error as AdminError {
            return (error.code.rawValue, encode(error))
        } catch {
            logger.error(
                "an admin request failed", metadata: ["request": "\(head.method) \(head.uri)", "error": "\(error)"])
            return (500, encode(AdminError(.internalError, "\(error)")))
        }
    }

    private static func encode(_ error: AdminError) -> ByteBuffer {
        (try? AdminJSON.encode(AdminJSON.Failure(error: error.message))) ?? ByteBuffer(string: #"{"error":"failed"}"#)
    }

    private func respond(_ content: ByteBuffer, _ status: Int, keepAlive: Bool, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status))
        head.headers.add(name: "content-type", value: "application/json")
        head.headers.add(name: "content-length", value: "\(content.readableBytes)")
        if !keepAlive { head.headers.add(name: "connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(content))), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            if !keepAlive { bound.value.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        // Silent for too long; but a request that is being answered may take its time.
        if case .answering = state { return }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("an admin connection failed", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }
}
