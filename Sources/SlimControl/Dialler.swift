internal import Logging
internal import NIOCore
internal import SlimRegistry

/// Keeps one connection to a peer that is ours to dial. Lives on the event loop.
final class Dialler {
    private enum State {
        case waiting(Scheduled<Void>)
        case dialling(LinkHandler)
        case stopped
    }

    let host: HostRecord
    private let core: ControlCore
    private var backoff: Backoff
    private var state = State.stopped
    private var lastReason: String?
    private var lastLogged: NIODeadline?
    private var connectedSince: NIODeadline?

    init(host: HostRecord, core: ControlCore) {
        self.host = host
        self.core = core
        backoff = Backoff(shortest: core.timings.shortestRedial, longest: core.timings.longestRedial)
    }

    func dial() {
        let handler = LinkHandler(side: .dialler(host: host), core: core)
        state = .dialling(handler)
        core.connect(to: host, handler)
    }

    func stop(_ reason: String) {
        let last = state
        state = .stopped
        switch last {
        case .waiting(let timer): timer.cancel()
        case .dialling(let handler): handler.close(reason)
        case .stopped: break
        }
    }

    /// The connection is up: the next failure is news again.
    func established() {
        connectedSince = .now()
        lastReason = nil
    }

    /// An attempt failed or a connection ended: tries again after a while.
    func attemptEnded(_ handler: LinkHandler, _ reason: String) {
        guard case .dialling(let current) = state, current === handler else { return }
        log(reason)
        // A connection that is refused as soon as it is up does not count as success.
        if let since = connectedSince, NIODeadline.now() - since > TimeAmount(core.timings.longestRedial) {
            backoff.reset()
        }
        connectedSince = nil
        let timer = core.loop.assumeIsolated().scheduleTask(in: TimeAmount(backoff.next())) { [weak self] in
            guard let self, case .waiting = self.state else { return }
            self.dial()
        }
        state = .waiting(timer)
    }

    private func log(_ reason: String) {
        let now = NIODeadline.now()
        defer { lastReason = reason }
        guard connectedSince == nil else { return }
        guard reason != lastReason || now - (lastLogged ?? now) > .seconds(60) else { return }
        lastLogged = now
        core.logger.warning(
            "cannot connect to \(host.name) at \(Endpoint(host.underlay, core.configuration.port)), trying again: \(reason)"
        )
    }
}
