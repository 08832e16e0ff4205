internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import SlimPKI
internal import SlimRegistry

/// One control connection: from TLS by way of the greetings to messages. Lives on the event loop.
final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Who began the connection.
    enum Side {
        case dialler(host: HostRecord)
        /// Holds a place in ``AdmissionControl`` until the peer is known.
        case acceptor(from: IPAddress)

        var dialled: String? { if case .dialler(let host) = self { host.name } else { nil } }
    }

    private enum State {
        case connecting
        case handshaking
        /// TLS is up, our greeting is sent, the peer's is awaited.
        case greeting(candidates: [String], fingerprint: String)
        case established(Link)
        case closed
    }

    let side: Side
    /// Outlives every connection: it ends with the event loop.
    private let core: ControlCore
    private var state = State.connecting
    private var context: ChannelHandlerContext?
    private var lastHeard = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(side: Side, core: ControlCore) {
        self.side = side
        self.core = core
    }

    /// Ends the connection. The peer is told why when it is one of the cluster.
    func close(_ reason: String) {
        switch state {
        case .greeting, .established: write(.goodbye(reason: reason))
        case .connecting, .handshaking, .closed: break
        }
        end(reason)
    }

    /// There was no TCP connection at all.
    func connectFailed(_ error: any Error) {
        guard case .connecting = state else { return }
        state = .closed
        timer?.cancel()
        core.failed(self, candidates: [], describe(error))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { beginHandshake(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        switch (state, side) {
        case (.connecting, .dialler): break
        default: end("the connection ended")
        }
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        beginHandshake(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .connecting, .handshaking: end("it closed the connection before the TLS handshake")
        case .greeting: end("it closed the connection before its greeting")
        case .established: end("the connection ended")
        case .closed: break
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(describe(error)) }

    private func describe(_ error: any Error) -> String {
        let peer =
            switch side {
            case .dialler(let host): host.name
            case .acceptor(let address): core.name(of: address)
            }
        return ConnectionFault.describe(error, peer: peer, own: core.configuration)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { authenticate(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = .now()
        do throws(FrameError) {
            try receive(FrameCodec.decode(unwrapInboundIn(data)))
        } catch { close(ConnectionFault.describe(error)) }
    }

    private func beginHandshake(_ context: ChannelHandlerContext) {
        guard case .connecting = state else { return }
        state = .handshaking
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(core.timings.handshake)) { [weak self] in
            self?.close("it did not finish the handshake in time")
        }
    }

    private func authenticate(_ context: ChannelHandlerContext) {
        do {
            guard let certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate() else {
                return end("it showed no certificate")
            }
            believe(try CertificateDetails(der: certificate.toDERBytes()))
        } catch { close("its certificate cannot be read: \(error)") }
    }

    /// The peer has shown a certificate of the cluster's authority: greets it, if it may be a host that is known.
    func believe(_ details: CertificateDetails) {
        guard case .handshaking = state else { return }
        state = .greeting(candidates: [], fingerprint: details.fingerprint)
        do throws(PeerAuthenticator.Refusal) {
            let candidates = try core.authenticator.candidates(for: details, dialled: side.dialled)
            state = .greeting(candidates: candidates, fingerprint: details.fingerprint)
            write(.greeting(core.greeting))
        } catch { close(error.reason) }
    }

    private func receive(_ frame: Frame) {
        switch (state, frame) {
        case (.closed, _), (.connecting, _), (.handshaking, _): break
        case (_, .goodbye(let reason)): end("it says: \(ConnectionFault.quote(reason))")
        case (.greeting(let candidates, let fingerprint), .greeting(let greeting)):
            establish(greeting, candidates, fingerprint)
        case (.greeting, _): close("it sent something else before its greeting")
        case (.established, .greeting): close("it sent a second greeting")
        case (.established, .ping): write(.pong)
        case (.established, .pong): break
        case (.established(let link), .message(let message)): core.events(.message(message, peer: link.peer))
        case (.established(let link), .unknown(let type)): core.skipped(type, from: link.peer)
        }
    }

    private func establish(_ greeting: Greeting, _ candidates: [String], _ fingerprint: String) {
        guard let context else { return }
        do throws(PeerAuthenticator.Refusal) {
            let peer = try core.authenticator.peer(greeting: greeting, own: core.greeting, candidates: candidates)
            let link = Link(peer: peer, fingerprint: fingerprint, channel: context.channel)
            state = .established(link)
            timer?.cancel()
            schedulePing(context)
            core.established(self, link, greeting)
        } catch { close(error.reason) }
    }

    private func schedulePing(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(core.timings.ping)) { [weak self] in
            guard let self, case .established = self.state else { return }
            guard NIODeadline.now() - self.lastHeard < TimeAmount(self.core.timings.silence) else {
                return self.close("nothing was heard from it for \(self.core.timings.silence)")
            }
            self.write(.ping)
            self.schedulePing(context)
        }
    }

    private func write(_ frame: Frame) {
        guard let context, let buffer = try? FrameCodec.encode(frame) else { return }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// The one way into `.closed`: tells the core once.
    private func end(_ reason: String) {
        let last = state
        if case .closed = last { return }
        state = .closed
        timer?.cancel()
        switch last {
        case .closed: break
        case .established(let link): core.disconnected(self, link, reason)
        case .greeting(let candidates, _): core.failed(self, candidates: candidates, reason)
        case .connecting, .handshaking: core.failed(self, candidates: [], reason)
        }
        context?.close(promise: nil)
    }
}
