/// Who owns which part of the overlay. Snapshots are values: a change is a new snapshot.
///
/// The embedded registry reads `router.json` and a watched directory; another (etcd, say) provides the same.
package protocol HostRegistry: Sendable {
    /// The hosts as known now, this one not among them.
    func snapshot() async -> RegistrySnapshot
    /// One element for each change after the call.
    func changes() async -> AsyncStream<RegistrySnapshot>
}

/// All remote hosts at one moment.
package struct RegistrySnapshot: Sendable, Equatable {
    package let hosts: [HostRecord]

    package init(hosts: [HostRecord]) { self.hosts = hosts }

    /// The host whose subnet holds an address. Subnets do not overlap, so there is at most one.
    package func owner(of address: IPAddress) -> HostRecord? { hosts.first { $0.owns(address) } }

    package func host(named name: String) -> HostRecord? { hosts.first { $0.name == name } }
}
