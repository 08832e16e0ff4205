internal import SlimRegistry

/// Gives out the host's overlay addresses: the same offset in each subnet, the next free one after the last given, so
/// that an address is not used again soon.
struct AddressPool {
    private let subnets: [Subnet]
    private var last: UInt64 = 1
    private var used: Set<IPAddress> = []

    init(_ subnets: [Subnet]) { self.subnets = subnets }

    /// The first address of a subnet is the bridge's, and the last of an IPv4 subnet its broadcast address.
    private var offsets: ClosedRange<UInt64> {
        let bits = subnets.map { min(16, $0.address.bitWidth - $0.length) }.min() ?? 0
        return bits < 2 ? 2...2 : 2...(1 << UInt64(bits)) - 2
    }

    mutating func take() -> [IPAddress]? {
        let range = offsets
        for step in 0..<UInt64(range.count) {
            let offset = range.lowerBound + (last + 1 + step - range.lowerBound) % UInt64(range.count)
            let addresses = subnets.compactMap { $0.address(at: offset) }
            guard addresses.count == subnets.count, addresses.allSatisfy({ !used.contains($0) }) else { continue }
            last = offset
            used.formUnion(addresses)
            return addresses
        }
        return nil
    }

    /// Marks an address that was chosen elsewhere.
    ///
    /// - Returns: `false` when it is in use, or not one of this host's to give.
    mutating func claim(_ address: IPAddress) -> Bool {
        guard let subnet = subnets.first(where: { $0.contains(address) }), address != subnet.address,
            address != subnet.address(at: 1), !isBroadcast(address, in: subnet)
        else { return false }
        return used.insert(address).inserted
    }

    private func isBroadcast(_ address: IPAddress, in subnet: Subnet) -> Bool {
        address.family == .v4 && address == subnet.address(at: 1 << UInt64(32 - subnet.length) - 1)
    }

    mutating func release(_ addresses: [IPAddress]) { used.subtract(addresses) }
}
