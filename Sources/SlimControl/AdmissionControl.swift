internal import SlimRegistry

/// Bounds the connections that have not yet proved who they are.
struct AdmissionControl {
    static let perAddress = 4
    static let total = 256

    private var counts: [IPAddress: Int] = [:]
    private var pending = 0
    /// Addresses of hosts in the registry: a flood from elsewhere does not lock them out.
    var knownAddresses: Set<IPAddress> = []

    /// Takes a place for a connection from an address.
    ///
    /// - Returns: `false` when there is none; otherwise ``release(_:)`` gives it back.
    mutating func admit(_ address: IPAddress) -> Bool {
        let key = Self.key(address)
        guard counts[key, default: 0] < Self.perAddress, pending < Self.total || knownAddresses.contains(address) else {
            return false
        }
        counts[key, default: 0] += 1
        pending += 1
        return true
    }

    mutating func release(_ address: IPAddress) {
        let key = Self.key(address)
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
        pending -= 1
    }

    /// Whoever has one IPv6 address usually has the 2^64 around it too.
    private static func key(_ address: IPAddress) -> IPAddress {
        address.family == .v4 ? address : IPAddress(v6High: address.high, low: 0)
    }
}
