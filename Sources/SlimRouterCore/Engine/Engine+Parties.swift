internal import SlimAdmin
internal import SlimControl
internal import SlimPolicy
internal import SlimRegistry

/// Who the containers are, here and on other hosts: what policies select by.
extension Engine {
    /// So many of one host: as many as an IPv4 /16 has addresses.
    private static let mostParties = 65_536

    /// The containers of this host, as other routers are told of them.
    var ownIdentities: [ContainerIdentity] { containers.values.map(\.party.identity) }

    /// A peer tells of its containers.
    func take(_ update: ContainerUpdate, from peer: Peer) {
        switch update.scope {
        case .part:
            guard peer.arriving.count + update.present.count <= Self.mostParties else {
                return log.warning(
                    "parties \(peer.name)", "host \(peer.name) lists more containers than a host can have")
            }
            peer.arriving += update.present.filter { isCredible($0, of: peer) }
        case .last:
            let present = peer.arriving + update.present
            peer.arriving = []
            let names = Set(present.map(\.name))
            replace(present, gone: peer.containers.keys.filter { !names.contains($0) }, of: peer)
        case .change: replace(update.present, gone: update.gone, of: peer)
        }
    }

    /// Puts parties of a peer into the tables as they were before this router started: its own word comes later.
    func restore(_ identities: [ContainerIdentity], of host: String) {
        guard let peer = peers[host] else { return }
        replace(identities, gone: [], of: peer)
    }

    private func replace(_ present: [ContainerIdentity], gone: [String], of peer: Peer) {
        var isChanged = false
        for name in gone { if forget(partyNamed: name, of: peer) { isChanged = true } }
        for identity in present {
            guard peer.containers[identity.name]?.identity != identity else { continue }
            guard peer.containers.count < Self.mostParties, isCredible(identity, of: peer) else {
                log.warning(
                    "parties \(peer.name)",
                    "host \(peer.name): what it says of container \(identity.name.prefix(63).debugDescription) is not believed"
                )
                continue
            }
            forget(partyNamed: identity.name, of: peer)
            let party = Party(identity)
            peer.containers[identity.name] = party
            for address in identity.addresses { parties[address] = party }
            isChanged = true
        }
        guard isChanged else { return }
        // What it was told about our containers was said to others than these.
        _ = send(.invalidateAll, peer.name)
        partiesChanged()
        reviewAgain()
    }

    /// A host may name its own containers only, with labels of the size that containers can have.
    private func isCredible(_ identity: ContainerIdentity, of peer: Peer) -> Bool {
        let request = AttachRequest(name: identity.name, netns: "/", labels: identity.labels)
        guard (try? request.validate()) != nil, (1...2).contains(identity.addresses.count) else { return false }
        return identity.addresses.allSatisfy { peer.record.owns($0) }
    }

    @discardableResult
    private func forget(partyNamed name: String, of peer: Peer) -> Bool {
        guard let party = peer.containers.removeValue(forKey: name) else { return false }
        for address in party.identity.addresses where parties[address] === party { parties[address] = nil }
        return true
    }

    /// A host has left the cluster, and its containers with it.
    func forgetParties(of peer: Peer) {
        for name in Array(peer.containers.keys) { forget(partyNamed: name, of: peer) }
        partiesChanged()
    }

    /// So many hosts are asked about at a time: programs do not wait for a list of all.
    static let hostsInPart = 64

    /// What is known of the containers of some hosts.
    func knownHosts(_ names: some Sequence<String>) -> [PartyStore.Host] {
        names.compactMap { peers[$0] }.map {
            PartyStore.Host(name: $0.name, containers: $0.containers.values.map(\.identity))
        }
    }

    /// A container of this host came, or has other labels: every peer is told.
    func announce(_ container: Container) {
        tellPeers(ContainerUpdate(.change, present: [container.party.identity]))
    }

    func announceEnd(of container: Container) { tellPeers(ContainerUpdate(.change, gone: [container.name])) }

    private func tellPeers(_ update: ContainerUpdate) {
        for peer in peers.values where peer.isConnected { _ = send(.containers(update), peer.name) }
    }

    /// Gives a container of this host other labels. What that forbids is cut.
    ///
    /// - Returns: `false` when there is none of that name.
    func relabel(_ name: String, _ labels: [String: String]) -> Bool {
        guard let container = containers[name] else { return false }
        container.party = Party(
            ContainerIdentity(name: name, addresses: container.party.identity.addresses, labels: labels))
        for address in container.party.identity.addresses { invalidate(address) }
        announce(container)
        reviewAgain()
        return true
    }
}
