internal import SlimRegistry

/// Which peers were told about which of our destinations, and are told when that changes.
///
/// By address and port one way and by peer the other way: a container that comes or goes, and a peer that is lost, look at
/// their own entries only.
struct InterestTable {
    private var peers: [IPAddress: [Port: Set<String>]] = [:]
    private var told: [String: Set<Endpoint>] = [:]
    /// Destinations.
    private(set) var count = 0

    mutating func insert(_ peer: String, for destination: Endpoint) {
        guard told[peer, default: []].insert(destination).inserted else { return }
        if peers[destination.address]?[destination.port] == nil { count += 1 }
        peers[destination.address, default: [:]][destination.port, default: []].insert(peer)
    }

    /// Takes out a destination.
    ///
    /// - Returns: whom to tell.
    mutating func take(_ destination: Endpoint) -> Set<String> {
        guard let names = peers[destination.address]?.removeValue(forKey: destination.port) else { return [] }
        if peers[destination.address]?.isEmpty == true { peers[destination.address] = nil }
        count -= 1
        for name in names {
            told[name]?.remove(destination)
            if told[name]?.isEmpty == true { told[name] = nil }
        }
        return names
    }

    /// What is in for an address.
    func destinations(at address: IPAddress) -> [Endpoint] {
        peers[address].map { $0.keys.map { Endpoint(address, $0) } } ?? []
    }

    /// A peer has forgotten everything.
    mutating func forget(_ peer: String) {
        for destination in told.removeValue(forKey: peer) ?? [] {
            peers[destination.address]?[destination.port]?.remove(peer)
            guard peers[destination.address]?[destination.port]?.isEmpty == true else { continue }
            peers[destination.address]?[destination.port] = nil
            if peers[destination.address]?.isEmpty == true { peers[destination.address] = nil }
            count -= 1
        }
    }

    /// Takes out everything.
    ///
    /// - Returns: whom to tell.
    mutating func takeAll() -> [String] {
        defer { self = InterestTable() }
        return Array(told.keys)
    }
}
