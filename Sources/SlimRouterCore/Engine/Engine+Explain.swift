internal import SlimAdmin
internal import SlimControl
internal import SlimPolicy
internal import SlimRegistry

/// A question to another router, for an operator who waits for the answer.
struct Explanation {
    let host: String
    let deadline: ContinuousClock.Instant
    /// `nil`: that router does not answer.
    let tell: @Sendable (ExplainAnswer?) -> Void
}

/// Says whether a connection would be allowed, and by what: each end's router speaks for its own container.
extension Engine {
    private static let patience: Duration = .seconds(2)
    private static let mostExplanations = 1000

    /// A flow that somebody asks about.
    struct Flow: Sendable {
        let source: IPAddress
        let destination: Endpoint
        let transport: PolicyProtocol
    }

    /// The addresses of what an operator calls by name: `web`, `h2/web`, or an address.
    func addresses(of text: String) throws(AdminError) -> [IPAddress] {
        if let address = IPAddress(text) { return [address] }
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        let (host, name) = parts.count == 2 ? (parts[0], parts[1]) : (nil, text)
        var found: [[IPAddress]] = []
        if host == nil || host == settings.host.name, let container = containers[name] {
            found.append(container.party.identity.addresses)
        }
        for peer in peers.values where host == nil || host == peer.name {
            if let party = peer.containers[name] { found.append(party.identity.addresses) }
        }
        guard let first = found.first else {
            throw AdminError(
                .badRequest,
                "\(quote(text)): no container of that name is known, nor is it an address; see `slimctl containers`"
            )
        }
        guard found.count == 1 else {
            throw AdminError(
                .badRequest, "\(quote(text)): \(found.count) hosts have a container of that name; say HOST/\(name)")
        }
        return first
    }

    private func quote(_ text: String) -> String { text.prefix(80).debugDescription }

    /// What one end says. `tell` is called once, with `nil` for an end that is no container of the overlay.
    func explain(
        _ direction: PolicyDirection, _ flow: Flow, tell: @escaping @Sendable (ExplainReport.Verdict?) -> Void
    ) {
        let end = direction == .egress ? flow.source : flow.destination.address
        if containersByAddress[end] != nil {
            let (verdict, reason) = explanation(direction, flow)
            return tell(
                ExplainReport.Verdict(
                    direction: direction.rawValue, host: settings.host.name, verdict: verdict, reason: reason))
        }
        guard let host = hosts.owner(of: end) else { return tell(nil) }
        let unknown = ExplainReport.Verdict(
            direction: direction.rawValue, host: host, verdict: "unknown", reason: "its router does not answer")
        let id = nextQueryID
        nextQueryID += 1
        let query = ExplainQuery(
            id: id, direction: direction.rawValue, source: flow.source, destination: flow.destination,
            transport: flow.transport.name)
        guard explanations.count < Self.mostExplanations, send(.explain(query), host) else { return tell(unknown) }
        explanations[id] = Explanation(host: host, deadline: .now + Self.patience) { answer in
            tell(
                answer.map {
                    ExplainReport.Verdict(
                        direction: direction.rawValue, host: host, verdict: $0.verdict, reason: $0.reason)
                } ?? unknown)
        }
    }

    private func explanation(_ direction: PolicyDirection, _ flow: Flow) -> (verdict: String, reason: String) {
        if isWithinOneContainer(flow.source, flow.destination.address) {
            return ("allow", "a container may always reach itself")
        }
        let verdict = policy.decide(
            direction, from: identityClass(of: flow.source), to: identityClass(of: flow.destination.address),
            port: flow.destination.port, protocol: flow.transport)
        return (verdict.denial?.rawValue ?? "allow", policy.name(of: verdict.cause))
    }

    func answer(_ query: ExplainQuery, from peer: Peer) {
        guard let direction = PolicyDirection(rawValue: query.direction),
            let transport = PolicyProtocol(name: query.transport)
        else { return }
        let flow = Flow(source: query.source, destination: query.destination, transport: transport)
        let (verdict, reason) = explanation(direction, flow)
        _ = send(.explained(ExplainAnswer(id: query.id, verdict: verdict, reason: reason)), peer.name)
    }

    func finish(_ answer: ExplainAnswer, from peer: Peer) {
        guard let explanation = explanations[answer.id], explanation.host == peer.name else { return }
        explanations[answer.id] = nil
        explanation.tell(answer)
    }
}

extension PolicyProtocol {
    /// What it is called on the command line and between routers.
    var name: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        case .icmp: "icmp"
        case .other: "other"
        }
    }

    init?(name: String) {
        guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = known
    }
}
