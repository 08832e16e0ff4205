internal import Crypto
internal import SlimControl
internal import SlimRegistry

/// Another host, or this one seen from itself: what is needed to connect to its containers.
final class Peer {
    let name: String
    var record: HostRecord
    /// Where its data ports are reached: its underlay address, or loopback for this host.
    let address: IPAddress
    var isConnected = false
    var disconnectReason: String?

    /// The key under which we connect to it, and whether it has said that it knows it.
    var keyID: UInt64
    private(set) var key: SymmetricKey
    private(set) var authenticator: HMAC<SHA256>
    var isKeyAccepted = false
    private var lastCounter: UInt64 = 0
    /// The numbers of the keys under which it connects to us: the newest, and what it has replaced a short while ago.
    var inboundKeys: [UInt64] = []
    /// Whether it refuses prepared preambles when it is told to, and which are out.
    var takesVoids = false
    var issue = PreparedIssue()

    /// Its data ports that answered a probe, for sockets of each family, and whether their SYNs carry data.
    var ports: (v4: [Port], v6: [Port]) = ([], [])
    var announcedPorts: [Port] = []
    var fastOpenWorks = true
    private var turn = 0
    private var probedTurn = 0

    /// When data in a SYN is tried again, after it did not get through.
    var fastOpenRetry = ContinuousClock.now

    /// When a probe was answered last, and how long the answer took.
    var provenAt: ContinuousClock.Instant?
    var answerTime: Duration = .zero
    /// A probe that is under way, and the connects that wait for it.
    var proof: Proof?

    struct Proof {
        let deadline: ContinuousClock.Instant
        var waiting: [PendingConnect] = []
    }

    /// What it said about destinations; it tells when that changes.
    var resolutions = ResolutionTable(capacity: 200_000)
    /// Questions that it has not answered yet, by number, and the number of each.
    var queries: [UInt64: Query] = [:]
    var asked: [Contact: UInt64] = [:]
    /// Its containers by name, and those of a list that has not wholly arrived.
    var containers: [String: Party] = [:]
    var arriving: [ContainerIdentity] = []

    struct Query {
        let contact: Contact
        let deadline: ContinuousClock.Instant
        var waiting: [PendingConnect]
    }

    init(record: HostRecord, address: IPAddress) {
        name = record.name
        self.record = record
        self.address = address
        keyID = UInt64.random(in: 1...UInt64.max)
        key = SymmetricKey(size: .bits256)
        authenticator = HMAC(key: key)
    }

    /// A new key, for a new control connection: counters start again.
    func renewKey() {
        keyID = UInt64.random(in: 1...UInt64.max)
        key = SymmetricKey(size: .bits256)
        authenticator = HMAC(key: key)
        isKeyAccepted = false
        lastCounter = 0
        issue = PreparedIssue()
    }

    func nextCounter() -> UInt64 {
        lastCounter += 1
        return lastCounter
    }

    func nextPort(for family: IPAddress.Family) -> Port? {
        let candidates = family == .v4 ? ports.v4 : ports.v6
        guard !candidates.isEmpty else { return nil }
        turn &+= 1
        return candidates[turn % candidates.count]
    }

    /// One of the data ports that are in use, each in turn.
    func nextProbedPort() -> Port? {
        let candidates = ports.v4 + ports.v6
        guard !candidates.isEmpty else { return nil }
        probedTurn &+= 1
        return candidates[probedTurn % candidates.count]
    }
}

/// A key under which a peer connects to us.
final class InboundKey {
    let peer: Peer
    let key: SymmetricKey
    let authenticator: HMAC<SHA256>
    var window = ReplayWindow()
    var prepared = PreparedWindow()
    /// Set when a newer one has replaced it: what is on the way is still let in until then.
    var expiry: ContinuousClock.Instant?

    init(peer: Peer, key: SymmetricKey) {
        self.peer = peer
        self.key = key
        authenticator = HMAC(key: key)
    }
}
