internal import SlimRegistry

/// Which peer owns an address: one dictionary look-up for each distinct prefix length, however many hosts there are.
struct HostTable {
    private struct Mask: Hashable {
        let family: IPAddress.Family
        let length: Int
    }

    private var tables: [(mask: Mask, owners: [IPAddress: String])] = []

    init() {}

    init(_ hosts: some Sequence<HostRecord>) {
        var byMask: [Mask: [IPAddress: String]] = [:]
        for host in hosts {
            for subnet in host.subnets {
                byMask[Mask(family: subnet.address.family, length: subnet.length), default: [:]][subnet.address] =
                    host.name
            }
        }
        tables = byMask.map { ($0.key, $0.value) }
    }

    /// The name of the host whose subnet holds the address.
    func owner(of address: IPAddress) -> String? {
        for (mask, owners) in tables where mask.family == address.family {
            if let owner = owners[address.masked(to: mask.length)] { return owner }
        }
        return nil
    }
}
