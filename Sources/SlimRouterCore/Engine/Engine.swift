internal import CSlimABI
internal import Crypto
internal import Logging
internal import SlimControl
internal import SlimGuard
internal import SlimNetlink
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// The connection path: applications' requests, accept channels, data ports. All of it on one thread, without locks.
///
/// Other threads reach it through its ``Mailbox``.
final class Engine {
    /// What does not change while the router runs.
    struct Settings: Sendable {
        let host: HostRecord
        let directory: String
        let prefixes: [Subnet]
        let dataPorts: [Port]
        let socketsPerContainer: Int
        let listenersPerContainer: Int
        let parkedPerContainer: Int
        let preparedPerContainer: Int
        let connections: Int
    }

    static let preambleTimeout: Duration = .seconds(5)
    static let resolveTimeout: Duration = .seconds(1)
    static let probeTimeout: Duration = .seconds(3)
    /// How long a data port that does not answer is left alone.
    static let probeRetry: Duration = .seconds(2)
    /// Shorter than a program waits for its answer: after it the packet overlay goes on trying.
    static let connectTimeout: Duration = .milliseconds(1500)
    static let tick: Duration = .milliseconds(100)
    static let endsPause: Duration = .milliseconds(50)

    let settings: Settings
    var keeper: KeeperLink
    /// Whether it was told to let listeners go since it last said that it had.
    var keeperIsBehind = false
    var isKeeperLost = false
    /// What must not be lost when this router is killed.
    let flight: Flight
    let mailbox: Mailbox
    /// Sends to a peer's router; `false` when it is not connected.
    let send: @Sendable (ControlMessage, String) -> Bool
    var log: LimitedLog
    let epoll: Epoll
    var sources = SourceTable()
    var isStopped = false

    var containers: [String: Container] = [:]
    var containersByNamespace: [NamespaceCookie: Container] = [:]
    var containersByAddress: [IPAddress: Container] = [:]

    var listeners: [SocketCookie: Listener] = [:]
    /// Above that of any earlier router: the keeper still has its listeners when programs already ask this one for new ones.
    var nextListenerID = monotonicMilliseconds() << 20

    /// This host as its own peer: connections between its containers.
    let local: Peer
    var peers: [String: Peer] = [:]
    var hosts = HostTable()
    var inboundKeys: [UInt64: InboundKey] = [:]
    /// Which peers were told about a destination, and are told when that changes.
    var interest = InterestTable()
    var nextQueryID: UInt64 = 1
    /// Questions to peers that are not answered yet, of all peers.
    var openQueries = 0

    var dataPorts: [DataPort] = []
    /// The host's own, for connections with other hosts; `nil` where it is the one for those within.
    let congestionControl = Engine.hostCongestionControl()
    var arrivals = ArrivalList()
    var departures: [ObjectIdentifier: Departure] = [:]
    var probesDue: ContinuousClock.Instant?
    var starved: [(descriptor: CInt, token: UInt64)] = []
    var starvedResume: ContinuousClock.Instant?
    /// Given up for a moment when the descriptor table is full.
    var reserve: OwnedDescriptor?
    private var sweepDue = ContinuousClock.now
    var reapers: [(link: ApplicationLink, sequence: UInt32)] = []
    /// Whether it has taken over what the router before it left.
    var hasAdopted = false

    var spares = SpareSockets()
    var connections: ConnectionTable

    /// What the operator allows. ``isPolicyClosed`` tells whether it denies anything at all.
    var policy = CompiledPolicy(.open)
    var isPolicyClosed = false
    /// Whether packets obey the same policy: what is to time out may then be left to them.
    var isFilterInForce = false
    /// The containers of other hosts.
    var parties: [IPAddress: Party] = [:]
    /// Told when ``parties``, or the containers here, have changed.
    let partiesChanged: @Sendable () -> Void
    var review: Review?
    /// Questions to peers for an operator who waits.
    var explanations: [UInt64: Explanation] = [:]
    let cutter: Cutter
    /// On what condition host sockets are handed out.
    var security: Security
    /// Told when the guard has died: nothing is handed out any more.
    let guardFailed: @Sendable (GuardError) -> Void
    /// Joins connections within this host, once a program has asked for it.
    var joining = Joining.unasked
    /// Denied connections whose answer has to wait.
    var delayed: [(due: ContinuousClock.Instant, pending: PendingConnect)] = []
    var delayedDue: ContinuousClock.Instant?
    /// Connections that are prepared, and how many of them wait.
    var queues: [ObjectIdentifier: PreparedQueue] = [:]
    var waiting = 0
    /// Prepared connections that nobody uses, as far as is known: those that wait, and those that were taken back and have
    /// not ended yet.
    var unused: Set<SocketCookie> = []
    var drained: [(cookie: SocketCookie, at: ContinuousClock.Instant)] = []
    var preparedDue: ContinuousClock.Instant?
    var voidings: [UInt64: Voiding] = [:]
    var leftovers: (due: ContinuousClock.Instant, cookies: Set<SocketCookie>)?
    var ends: SocketEnds
    var endsToken: UInt64 = 0
    var endsResume: ContinuousClock.Instant?
    /// Whether the kernel's sockets are being compared with the table, and whether ends were lost since that began.
    var isResynchronising = false
    var isResynchronisingAgain = false
    /// When they are compared next although nothing is known to be lost.
    var comparisonDue: ContinuousClock.Instant?
    /// The last comparison: of how many, when, and what it took for each; and how many wait for the next.
    var comparison = (
        count: 0, began: ContinuousClock.now, ended: ContinuousClock.now, cost: Duration.zero, waiting: 0
    )
    var counters = Counters()

    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 16)

    /// Opens the data ports and subscribes to the ends of sockets, in the calling thread's network namespace.
    init(
        settings: Settings, security: Security, keeper: KeeperLink, kept: KeptState, flight: Flight, mailbox: Mailbox,
        logger: Logger,
        send: @escaping @Sendable (ControlMessage, String) -> Bool, partiesChanged: @escaping @Sendable () -> Void,
        guardFailed: @escaping @Sendable (GuardError) -> Void
    ) throws(RouterError) {
        self.settings = settings
        self.security = security
        self.guardFailed = guardFailed
        self.keeper = keeper
        self.flight = flight
        flight.keeper = keeper.descriptor
        self.mailbox = mailbox
        self.send = send
        self.partiesChanged = partiesChanged
        cutter = Cutter(logger: logger)
        log = LimitedLog(logger)
        local = Peer(record: settings.host, address: settings.host.underlay)
        do throws(Errno) { epoll = try Epoll() } catch {
            throw RouterError("epoll: \(error)")
        }
        do throws(NetlinkError) { ends = try SocketEnds() } catch {
            throw RouterError("\(error); the kernel needs CONFIG_INET_DIAG and this program CAP_NET_ADMIN")
        }
        if let shortcoming = ends.shortcoming {
            logger.info(
                "sock_diag tells the ends of connections, which makes each socket of this machine costlier to close",
                metadata: ["reason": "\(shortcoming)"])
        }
        let table = settings.directory + "/connections"
        do throws(Errno) { connections = try ConnectionTable(path: table, capacity: settings.connections) } catch {
            throw RouterError("\(table): \(error); remove it and start again")
        }
        try openDataPorts(kept)
        do throws(Errno) {
            try epoll.add(mailbox.descriptor, .read, token: sources.add(.mailbox))
            endsToken = sources.add(.socketEnds)
            try epoll.add(ends.descriptor, .read, token: endsToken)
        } catch { throw RouterError("epoll: \(error)") }
        inboundKeys[local.keyID] = InboundKey(peer: local, key: local.key)
        remember { keeper throws(Errno) in
            try keeper.keep(key: local.keyID, of: local.name, local.key)
        }
        reserve = Self.newReserve()
        local.isConnected = true
        local.isKeyAccepted = true
        local.ports = Self.split(settings.dataPorts)
    }

    deinit { scratch.deallocate() }

    /// Serves until ``isStopped``.
    func run() {
        while !isStopped {
            do throws(Errno) {
                _ = try epoll.wait(timeout) { token, interest in handle(token, interest) }
                try answerReapers()
            } catch {
                log.error("epoll", "waiting for events failed: \(error)")
                return
            }
            sweep()
        }
    }

    private var timeout: Duration? {
        if review != nil { return .zero }
        if !arrivals.isEmpty || !departures.isEmpty || openQueries > 0 || !explanations.isEmpty { return Self.tick }
        if starvedResume != nil { return Self.tick }
        let due = earliest(earliest(endsResume, probesDue), earliest(earliest(delayedDue, preparedDue), comparisonDue))
        return due.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
    }

    private func earliest(
        _ one: ContinuousClock.Instant?, _ other: ContinuousClock.Instant?
    ) -> ContinuousClock.Instant? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    private func handle(_ token: UInt64, _ interest: Epoll.Interest) {
        switch sources[token] {
        case .vacant: break
        case .mailbox: for work in mailbox.takeAll() { work(self) }
        case .door(let container): admit(to: container)
        case .application(let link): serve(link, interest)
        case .original(let listener): acceptPlain(listener)
        case .channel(let listener): service(listener, interest)
        case .dataPort(let port): accept(on: port)
        case .arrival(let arrival): proceed(arrival)
        case .departure(let departure): proceed(departure, interest)
        case .queue(let queue): service(queue, interest)
        case .socketEnds: drainEnds()
        }
    }

    /// Answers programs that wait for closed listeners to be let go: every hang-up that happened before they asked is
    /// in epoll's ready list by now.
    private func answerReapers() throws(Errno) {
        guard !reapers.isEmpty else { return }
        while try epoll.wait(.zero, { token, interest in handle(token, interest) }) {}
        // The keeper holds every listening socket too; a program that asks for nothing does not make it work.
        if keeperIsBehind { remember { keeper throws(Errno) in try keeper.synchronise() } }
        keeperIsBehind = false
        let waiting = reapers
        reapers = []
        // The keeper serves the earlier router's listeners, until they are taken over: which are closed it alone knows.
        let verdict = hasAdopted ? SLIM_VERDICT_DONE : SLIM_VERDICT_FALLBACK
        for (link, sequence) in waiting { reply(to: link, SLIM_OP_REAP, sequence, verdict) }
    }

    private func sweep() {
        let now = ContinuousClock.now
        if let resume = endsResume, resume <= now {
            endsResume = nil
            drainEnds()
        }
        compareFromTimeToTime(now)
        if let resume = starvedResume, resume <= now { feedStarved() }
        continueReview()
        if delayedDue != nil { answerDelayed() }
        if let due = preparedDue, due <= now { tendPrepared(now) }
        if arrivals.isEmpty, departures.isEmpty, probesDue == nil, openQueries == 0, explanations.isEmpty { return }
        if let due = probesDue, due <= now { probeAgain() }
        // Once a tick, however much happens: there may be thousands that say nothing.
        guard sweepDue <= now else { return }
        sweepDue = now + Self.tick
        while let oldest = arrivals.oldest, oldest.deadline <= now { drop(oldest, because: "it said nothing") }
        for departure in departures.values where departure.deadline <= now { giveUp(departure) }
        for (id, explanation) in explanations where explanation.deadline <= now {
            explanations[id] = nil
            explanation.tell(nil)
        }
        for peer in peers.values {
            releaseWaiting(for: peer, now)
            for (id, query) in peer.queries where query.deadline <= now {
                close(query: id, of: peer)
                for pending in query.waiting { fallBack(pending) }
            }
        }
    }
}
