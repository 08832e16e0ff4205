internal import SlimRegistry

/// How many hosts, and containers on each; and with that every name and address in the lab.
package struct LabShape: Hashable, Sendable, CustomStringConvertible {
    package let hosts: Int
    package let containers: Int
    /// Secure mode, by the BPF guard.
    package let isSecure: Bool
    /// A policy from the beginning.
    package let hasPolicy: Bool

    static let mostHosts = 250
    static let mostContainers = 250

    /// - Throws: ``LabError`` with `.usage` beyond 250 hosts or 250 containers on each: the addresses end there.
    package init(hosts: Int = 2, containers: Int = 2, secure: Bool = false, policy: Bool = true) throws(LabError) {
        guard (1...Self.mostHosts).contains(hosts) else {
            throw LabError(.usage, "\(hosts) hosts are not possible: choose 1 to \(Self.mostHosts)")
        }
        guard (0...Self.mostContainers).contains(containers) else {
            throw LabError(
                .usage, "\(containers) containers on a host are not possible: choose 0 to \(Self.mostContainers)")
        }
        self.hosts = hosts
        self.containers = containers
        isSecure = secure
        hasPolicy = policy
    }

    package var description: String {
        Self.text(hosts, containers, isSecure)
    }

    fileprivate static func text(_ hosts: Int, _ containers: Int, _ isSecure: Bool) -> String {
        "\(hosts) \(hosts == 1 ? "host" : "hosts") with \(containers) \(containers == 1 ? "container" : "containers")\(hosts == 1 ? "" : " each")\(isSecure ? ", secure" : "")"
    }

    /// The record of a lab of this shape, not ready yet.
    func record(name: String) -> LabRecord {
        LabRecord(
            name: name, ready: false,
            hosts: (1...hosts).map { host in
                LabHost(
                    name: "h\(host)", address: "192.0.2.\(host)", address6: Self.v6("2001:db8", host),
                    subnets: ["10.32.\(host).0/24", Self.v6Subnet(host)],
                    containers: (0..<containers).map { index in
                        // The first address of a subnet is the host's bridge's.
                        let address6 = IPAddress(v6High: 0xfd00_0032_0000_0000 | UInt64(host), low: UInt64(index) + 2)
                        return LabContainer(
                            name: "h\(host)c\(index + 1)", ipv4: "10.32.\(host).\(index + 2)",
                            ipv6: address6.description)
                    })
            }, isSecure: isSecure, hasPolicy: hasPolicy)
    }

    private static func v6(_ prefix: String, _ number: Int) -> String { "\(prefix)::\(String(number, radix: 16))" }

    private static func v6Subnet(_ host: Int) -> String {
        "\(IPAddress(v6High: 0xfd00_0032_0000_0000 | UInt64(host), low: 0))/64"
    }
}

extension LabRecord {
    /// The lab's shape, for messages.
    var shape: String { LabShape.text(hosts.count, hosts.first?.containers.count ?? 0, isSecure) }
}
