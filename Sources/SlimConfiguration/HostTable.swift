internal import SlimJSON
internal import SlimRegistry

/// The hosts of a cluster as they are added one by one: refuses whom the others rule out.
struct HostTable {
    /// Why a host was refused: the path is within its object, `.subnets[0]`.
    struct Conflict: Equatable {
        let path: String
        let problem: String
        let remedy: String
    }

    private let overlay: OverlaySettings
    private var hosts: [(name: String, address: IPAddress, subnets: [Subnet])]

    init(configuration: RouterConfiguration) {
        overlay = configuration.overlay
        hosts = [(configuration.name, configuration.underlay.address, configuration.overlay.subnets)]
    }

    /// - Returns: why the host was not added; `nil` when it was.
    mutating func add(_ peer: Peer) -> Conflict? {
        if let conflict = conflict(of: peer) { return conflict }
        hosts.append((peer.name, peer.address, peer.subnets))
        return nil
    }

    private func conflict(of peer: Peer) -> Conflict? {
        if let index = hosts.firstIndex(where: { $0.name == peer.name }) {
            return Conflict(
                path: ".name",
                problem: "\(quoted(peer.name)) is \(index == 0 ? "this host's own name" : "named twice")",
                remedy: "remove one of the two, or rename it")
        }
        if let other = hosts.first(where: { $0.address == peer.address }) {
            return Conflict(
                path: ".address", problem: "\(peer.address) is the address of \(other.name) already",
                remedy: "give every host its own address")
        }
        if let own = hosts.first, own.address.family != peer.address.family {
            return Conflict(
                path: ".address", problem: "\(peer.address) and this host's \(own.address) are of different families",
                remedy: "give all hosts IPv4 addresses, or all IPv6")
        }
        if let prefix = overlay.prefixes.first(where: { $0.contains(peer.address) }) {
            return Conflict(
                path: ".address", problem: "\(peer.address) lies in the overlay's prefix \(prefix)",
                remedy: "write the host's address in the underlay, or choose another overlay.prefixes")
        }
        return subnetConflict(of: peer)
    }

    private func subnetConflict(of peer: Peer) -> Conflict? {
        for (index, subnet) in peer.subnets.enumerated() {
            let path = ".subnets[\(index)]"
            if let problem = overlay.problem(ofSubnet: subnet) {
                return Conflict(path: path, problem: problem.problem, remedy: problem.remedy)
            }
            for host in hosts {
                guard let other = host.subnets.first(where: { $0.overlaps(subnet) }) else { continue }
                return Conflict(
                    path: path, problem: "\(subnet) overlaps \(other) of \(host.name)",
                    remedy: "give every host subnets of its own")
            }
        }
        return nil
    }
}
