internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Whether the way to a peer's data ports is open *now*.
///
/// A connection that was handed over cannot be taken back: were the cable pulled, or a firewall changed, it would fail
/// where the packet overlay goes on or goes another way. So no connection is handed over unless a probe was answered a
/// moment ago. Probes are sent when there are connections to be made, at most one at a time: a peer that nobody connects
/// to costs nothing, and connections in a row do not wait.
extension Engine {
    /// A proof of this age is good, and the next probe is due.
    private static let freshProof: Duration = .milliseconds(100)
    /// A proof of this age is good for nothing: connections wait for the next.
    private static let staleProof: Duration = .milliseconds(500)
    /// So long connections wait for a probe, or three times as long as the last one took; then the overlay carries them.
    private static let proofPatience: Duration = .milliseconds(200)
    /// A probe that took longer was sent more than once.
    private static let mostAnswerTime: Duration = .milliseconds(300)
    private static let fastOpenPause: Duration = .seconds(5)

    /// Has a new proof on the way when one is due.
    func refreshProof(of peer: Peer) {
        let now = ContinuousClock.now
        guard peer.proof == nil, peer.provenAt.map({ $0.duration(to: now) >= Self.freshProof }) ?? true else { return }
        startProof(peer, now)
    }

    /// Whether connections can be handed over to a peer.
    ///
    /// - Returns: `false` when this one has to wait, or has been left to the packet overlay.
    func isProven(_ peer: Peer, for pending: PendingConnect) -> Bool {
        let now = ContinuousClock.now
        let age = peer.provenAt.map { $0.duration(to: now) } ?? .seconds(3600)
        if age < Self.freshProof { return true }
        refreshProof(of: peer)
        if age < Self.staleProof { return true }
        guard let proof = peer.proof, proof.deadline > now else {
            fallBack(pending)
            return false
        }
        peer.proof?.waiting.append(pending)
        suspend(pending.link)
        return false
    }

    /// Whether they can be at once.
    func isProvenNow(_ peer: Peer) -> Bool { peer.provenAt.map { $0.duration(to: .now) < Self.staleProof } ?? false }

    private func startProof(_ peer: Peer, _ now: ContinuousClock.Instant) {
        guard let port = peer.nextProbedPort() else { return }
        peer.proof = Peer.Proof(deadline: now + max(Self.proofPatience, peer.answerTime * 3))
        do throws(Errno) {
            try probe(peer, port, withData: peer.fastOpenWorks)
            if !peer.fastOpenWorks, peer.fastOpenRetry <= now {
                peer.fastOpenRetry = now + Self.fastOpenPause
                try probe(peer, port, withData: true)
            }
        } catch { suspect(peer) }
    }

    /// Data in SYNs gets through to the peer, or does not (any longer): then connections begin without, and it is tried
    /// again after a while.
    func learn(_ peer: Peer, fastOpenWorks: Bool) {
        peer.fastOpenWorks = fastOpenWorks
        if !fastOpenWorks { drainQueues { $0.peer === peer } }
        peer.fastOpenRetry = .now + Self.fastOpenPause
    }

    /// A probe was answered.
    func prove(_ peer: Peer, in time: Duration) {
        guard peer.isKeyAccepted else { return }
        peer.answerTime = min(time, Self.mostAnswerTime)
        peer.provenAt = .now
        endProof(peer) { proceed($0, to: peer) }
    }

    /// A data port that had answered does so no longer: all of them are probed anew, and the overlay used meanwhile.
    func suspect(_ peer: Peer) {
        peer.ports = ([], [])
        peer.provenAt = nil
        drainQueues { $0.peer === peer }
        probesDue = .now
        endProof(peer) { fallBack($0) }
    }

    /// Lets go those that have waited for long enough. The probe goes on.
    func releaseWaiting(for peer: Peer, _ now: ContinuousClock.Instant) {
        guard let proof = peer.proof, proof.deadline <= now, !proof.waiting.isEmpty else { return }
        peer.proof?.waiting = []
        for pending in proof.waiting { fallBack(pending) }
    }

    func endProof(_ peer: Peer, _ finish: (PendingConnect) -> Void) {
        guard let proof = peer.proof else { return }
        peer.proof = nil
        for pending in proof.waiting { finish(pending) }
    }
}
