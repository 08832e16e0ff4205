internal import SlimControl
internal import SlimPolicy
internal import SlimRegistry
internal import SlimSystem

/// What the operator's policy says about connections, on identities that come from the kernel and the registry.
extension Engine {
    /// What is known of an address: a container's class, or that of an address outside.
    func identityClass(of address: IPAddress) -> IdentityClass {
        if let party = containersByAddress[address]?.party ?? parties[address] {
            return party.identityClass(at: address, under: policy)
        }
        return policy.identityClass(of: PolicyEndpoint(outside: address))
    }

    func verdict(_ direction: PolicyDirection, from source: IPAddress, to destination: Endpoint) -> PolicyVerdict {
        policy.decide(
            direction, from: identityClass(of: source), to: identityClass(of: destination.address),
            port: destination.port, protocol: .tcp)
    }

    /// A container may always reach itself: what passes its loopback nobody sees either.
    func isWithinOneContainer(_ a: IPAddress, _ b: IPAddress) -> Bool {
        guard let container = containersByAddress[a] else { return false }
        return containersByAddress[b] === container
    }

    /// As the other, of connections that nobody waits for.
    func denial(_ contact: Contact) -> DenyMode? {
        guard isPolicyClosed, !isWithinOneContainer(contact.source, contact.destination.address) else { return nil }
        if let mode = verdict(.egress, from: contact.source, to: contact.destination).denial { return mode }
        // On one host this router speaks for both ends.
        guard containersByAddress[contact.destination.address] != nil else { return nil }
        return verdict(.ingress, from: contact.source, to: contact.destination).denial
    }

    /// Whether the policy lets a container's connection leave, or says how the program learns that it does not.
    func denial(of pending: PendingConnect) -> DenyMode? {
        guard isPolicyClosed else { return nil }
        pending.judge = policy.generation
        return denial(pending.contact)
    }

    /// As ``denial(of:)``, when the policy has changed since it was last asked.
    func newDenial(of pending: PendingConnect) -> DenyMode? {
        pending.judge == policy.generation ? nil : denial(of: pending)
    }

    /// Whether the policy lets a connection in.
    func ingressDenial(from source: IPAddress, to destination: Endpoint) -> DenyMode? {
        guard isPolicyClosed, !isWithinOneContainer(source, destination.address) else { return nil }
        return verdict(.ingress, from: source, to: destination).denial
    }

    /// What this host says about one of its live connections; `nil` for one that no policy speaks about.
    func verdict(on connection: Connection) -> PolicyVerdict? {
        // An address may have another container by now: the policy's word on that one is none on this connection.
        let isOwn = containersByAddress[connection.local.address]?.namespace == connection.namespace
        let local =
            isOwn
            ? identityClass(of: connection.local.address)
            : policy.identityClass(of: PolicyEndpoint(outside: connection.local.address))
        if isOwn, isWithinOneContainer(connection.local.address, connection.peer.address) {
            return nil
        }
        let remote = identityClass(of: connection.peer.address)
        return switch connection.direction {
        case .outgoing: policy.egress(from: local, to: remote, port: connection.peer.port)
        case .incoming: policy.ingress(from: remote, to: local, port: connection.local.port)
        }
    }

    /// Takes a policy into force: for new connections at once, for those that live as fast as they can be looked at.
    ///
    /// - Parameter reviewed: told how many live connections stay, and how many are cut, when they are.
    func adopt(_ new: CompiledPolicy, reviewed: @escaping ReviewGate.Reviewed) {
        // Prepared sockets have the rates and priorities of the policy that they were prepared under.
        if policy.isShaping || new.isShaping { drainQueues { _ in true } }
        policy = new
        suspendPairs()
        isPolicyClosed = new.canDeny
        for name in interest.takeAll() { _ = send(.invalidateAll, name) }
        // What is out and no longer allowed must be refused everywhere before the policy is said to be in force.
        let gate = ReviewGate(others: 1, reviewed)
        gate.add(withdrawDenied { gate.passOther() })
        gate.passOther()
        review { gate.passReview($0) }
    }
}

extension PolicyVerdict {
    /// How it denies; `nil` when it allows.
    var denial: DenyMode? {
        switch action {
        case .allow: nil
        case .deny(let mode): mode
        }
    }
}

extension CompiledPolicy {
    /// Whether there is anything that it denies.
    var canDeny: Bool {
        !document.isolations.isEmpty || document.defaults.ingress != .allow || document.defaults.egress != .allow
            || rules.contains { $0.action != .allow }
    }
}
