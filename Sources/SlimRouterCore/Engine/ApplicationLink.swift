internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem

/// A program's connection to the router. It has one request under way at most; while that one waits for a peer,
/// nothing more is read.
final class ApplicationLink {
    let descriptor: EntrustedDescriptor
    let container: Container
    var token: UInt64 = 0
    var isWaiting = false
    var isClosed = false
    var queues: [PreparedQueue] = []
    /// Where the program has connected to, and when.
    private var recent: [(destination: Endpoint, at: ContinuousClock.Instant)] = []

    init(_ descriptor: consuming OwnedDescriptor, container: Container) {
        self.descriptor = EntrustedDescriptor(descriptor)
        self.container = container
    }

    /// Notes a connect.
    ///
    /// - Returns: whether there was one to the same destination a short while ago.
    func isRepeated(_ destination: Endpoint, within interval: Duration) -> Bool {
        let now = ContinuousClock.now
        if let index = recent.firstIndex(where: { $0.destination == destination }) {
            defer { recent[index].at = now }
            return recent[index].at + interval > now
        }
        if recent.count >= Int(SLIM_QUEUE_SLOTS) { recent.removeFirst() }
        recent.append((destination, now))
        return false
    }

    deinit { descriptor.close(by: container.disposal) }
}
