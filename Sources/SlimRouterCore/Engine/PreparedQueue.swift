internal import SlimRegistry
internal import SlimSystem

/// A queue of prepared connections to one destination, for one program: both ends are the router's, the program has a
/// duplicate of one.
///
/// Each message holds a host socket that is bound for the destination and sends its SYN when it is first written to. The
/// kernel tells how much of what was sent is not read yet: so the router knows what was used without being told, and what
/// it reads itself was not.
final class PreparedQueue {
    struct Item {
        let cookie: SocketCookie
        let counter: UInt64
        let preparedAt: ContinuousClock.Instant
    }

    let link: ApplicationLink
    let peer: Peer
    let contact: Contact
    let family: KernelAddress.Family
    /// Of the listener at the other side.
    let portFamily: KernelAddress.Family
    let isNonblocking: Bool
    /// Whether the program asks for joined connections, should both ends be here.
    let joins: Bool
    private let routerEnd: EntrustedDescriptor
    let programEnd: OwnedDescriptor
    var token: UInt64 = 0
    var isArmed = false
    private var isGiven = false

    /// What has not been used, oldest first.
    var items: [Item] = []
    var batch: PreparedBatch
    var lastUse: ContinuousClock.Instant
    /// The kernel's memory for a message.
    let unitBytes: Int
    /// When so many are left the kernel says that there is room: when they fill a quarter of the send buffer.
    var low = 0

    init(
        _ routerEnd: consuming OwnedDescriptor, _ programEnd: consuming OwnedDescriptor, unitBytes: Int,
        for pending: PendingConnect, to peer: Peer, portFamily: KernelAddress.Family
    ) {
        self.unitBytes = unitBytes
        self.routerEnd = EntrustedDescriptor(routerEnd)
        self.programEnd = consume programEnd
        self.peer = peer
        self.portFamily = portFamily
        link = pending.link
        contact = pending.contact
        family = pending.family
        isNonblocking = pending.isNonblocking
        joins = pending.joins
        let now = ContinuousClock.now
        batch = PreparedBatch(at: now)
        lastUse = now
    }

    deinit { routerEnd.close(by: link.container.disposal) }

    var descriptor: CInt { routerEnd.raw }

    /// The end that the program is to be given now; `nil` when it has been.
    func give() -> CInt? {
        if isGiven { return nil }
        isGiven = true
        return programEnd.raw
    }

    var isLow: Bool { items.count * unitBytes * 4 <= max(low * unitBytes * 4, Self.leastSendBuffer) }

    /// What the kernel makes of a smaller one.
    private static let leastSendBuffer = 4608
}
