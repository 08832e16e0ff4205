internal import CSlimABI
internal import Crypto
internal import SlimRegistry
internal import SlimSystem

/// A socket on which other routers' connections arrive.
final class DataPort {
    let descriptor: OwnedDescriptor
    let port: Port
    var token: UInt64 = 0

    init(_ descriptor: consuming OwnedDescriptor, port: Port) {
        self.descriptor = descriptor
        self.port = port
    }
}

/// A connection that has arrived but not yet said, in full, who it is.
final class Arrival {
    var descriptor: OwnedDescriptor?
    let deadline: ContinuousClock.Instant
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Preamble.byteCount, alignment: 8)
    var received = 0
    var token: UInt64 = 0
    /// Its neighbours in an ``ArrivalList``.
    var previous: Arrival?
    var next: Arrival?

    init(
        _ descriptor: consuming OwnedDescriptor, deadline: ContinuousClock.Instant, first: UnsafeRawBufferPointer
    ) {
        self.descriptor = consume descriptor
        self.deadline = deadline
        buffer.copyMemory(from: first)
        received = first.count
    }

    deinit { buffer.deallocate() }
}

/// A connection of the router's own making that is not finished: a probe of a peer's port, or a connect whose preamble
/// could not ride in the SYN.
final class Departure {
    enum Purpose {
        case probe(Peer, Port)
        case connect(PendingConnect, Endpoint)
    }

    var descriptor: OwnedDescriptor?
    let purpose: Purpose
    let preamble: [UInt8]
    let deadline: ContinuousClock.Instant
    /// Whether the preamble went with the SYN.
    let isFastOpen: Bool
    let startedAt = ContinuousClock.now
    var token: UInt64 = 0

    init(
        _ descriptor: consuming OwnedDescriptor, purpose: Purpose, preamble: [UInt8], isFastOpen: Bool,
        deadline: ContinuousClock.Instant
    ) {
        self.descriptor = consume descriptor
        self.purpose = purpose
        self.preamble = preamble
        self.isFastOpen = isFastOpen
        self.deadline = deadline
    }
}

/// A connect request that cannot be answered at once.
final class PendingConnect {
    let link: ApplicationLink
    let sequence: UInt32
    let isNonblocking: Bool
    let isPristine: Bool
    /// Whether the program has no queue of prepared connections for the destination.
    let wantsQueue: Bool
    /// Whether the program asks for a joined connection, should both ends be here.
    let joins: Bool
    let original: EntrustedDescriptor
    let family: KernelAddress.Family
    let source: Endpoint
    let destination: Endpoint
    /// The policy that has allowed it: its generation.
    var judge: UInt64?

    init(
        link: ApplicationLink, sequence: UInt32, isNonblocking: Bool, isPristine: Bool,
        wantsQueue: Bool, joins: Bool, original: consuming OwnedDescriptor, family: KernelAddress.Family,
        source: Endpoint,
        destination: Endpoint
    ) {
        self.link = link
        self.sequence = sequence
        self.isNonblocking = isNonblocking
        self.isPristine = isPristine
        self.wantsQueue = wantsQueue
        self.joins = joins
        self.original = EntrustedDescriptor(original)
        self.family = family
        self.source = source
        self.destination = destination
    }

    var contact: Contact { Contact(source: source.address, destination: destination) }

    /// Whether the program's socket is not bound to a port: Slim chooses the one that is shown.
    var isPortPooled: Bool { source.port.rawValue == 0 }

    deinit { original.closeSocket(by: link.container.disposal) }
}
