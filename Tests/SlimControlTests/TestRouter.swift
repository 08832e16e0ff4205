import Logging
import SlimControl
import SlimRegistry
import Synchronization
import Testing

/// A control plane, and what it has told.
final class TestRouter: Sendable {
    struct TimedOut: Error {
        let events: [ControlEvent]
        let log: [String]
    }

    let plane: ControlPlane
    private let recorded = Recorder()

    init(_ configuration: ControlConfiguration) {
        let recorded = recorded
        plane = ControlPlane(
            configuration: configuration,
            logger: Logger(label: configuration.name) { _ in RecordingLogHandler(recorder: recorded) },
            events: { event in recorded.events.withLock { $0.append(event) } })
    }

    var events: [ControlEvent] { recorded.events.withLock { $0 } }
    var log: [String] { recorded.log.withLock { $0 } }

    var messages: [ControlMessage] {
        events.compactMap { if case .message(let message, _) = $0 { message } else { nil } }
    }

    /// How often a peer was connected so far.
    func connections(to peer: String) -> Int { events.count { $0 == .connected(peer: peer) } }

    func disconnections(from peer: String) -> [String] {
        events.compactMap { if case .disconnected(peer, let reason) = $0 { reason } else { nil } }
    }

    /// Waits until something holds. Gives up after a time that is far beyond what it takes.
    func wait(until holds: () -> Bool) async throws {
        for _ in 0..<4000 {
            if holds() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut(events: events, log: log)
    }

    func waitForConnection(to peer: String) async throws {
        try await wait { plane.connectedPeers.contains(peer) && connections(to: peer) > 0 }
    }

    func waitForLog(_ text: String) async throws { try await wait { log.contains { $0.contains(text) } } }
}

final class Recorder: Sendable {
    let events = Mutex<[ControlEvent]>([])
    let log = Mutex<[String]>([])
}

/// Keeps the lines of a log.
struct RecordingLogHandler: LogHandler {
    let recorder: Recorder
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(recorder: Recorder) { self.recorder = recorder }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { recorder.log.withLock { $0.append("\(event.message)") } }
}
