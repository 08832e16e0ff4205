import SlimNetlink
import SlimOverlay
import SlimRegistry
import SlimSystem

/// Two namespaces that stand for hosts, connected by a veth pair that stands for the underlay.
struct HostPair {
    let underlay: String
    let hostA: TestNamespace
    let hostB: TestNamespace
    let a: Overlay
    let b: Overlay

    /// - Parameter underlay: the start of the hosts' addresses, before the host's number.
    init(underlay: String = "192.0.2.") throws {
        hostA = try TestNamespace()
        hostB = try TestNamespace()
        let (routesA, routesB) = (try RouteSocket(in: hostA.handle), try RouteSocket(in: hostB.handle))
        try routesA.createVeth("up0", peer: "up0", in: hostB.handle)
        for (host, routes) in [(1, routesA), (2, routesB)] {
            let link = try routes.index(of: "up0")
            try routes.setUp(link)
            let own = address("\(underlay)\(host)")
            try routes.replace(
                InterfaceAddress(interface: link, address: own, prefixLength: own.family == .v4 ? 24 : 64))
        }
        a = try Self.makeOverlay(Self.configuration(underlay, host: 1), in: hostA)
        b = try Self.makeOverlay(Self.configuration(underlay, host: 2), in: hostB)
        self.underlay = underlay
    }

    func establish() throws {
        try a.establish()
        try b.establish()
        try a.update(peers: [record(host: 2)])
        try b.update(peers: [record(host: 1)])
    }

    func makeOverlay(host: Int) throws -> Overlay {
        let configuration = Self.configuration(underlay, host: host)
        return host == 1
            ? try Self.makeOverlay(configuration, in: hostA) : try Self.makeOverlay(configuration, in: hostB)
    }

    func record(host: Int) -> HostRecord {
        HostRecord(name: "h\(host)", underlay: address("\(underlay)\(host)"), subnets: Self.subnets(host: host))
    }

    static func configuration(_ underlay: String = "192.0.2.", host: Int) -> OverlayConfiguration {
        OverlayConfiguration(
            underlay: address("\(underlay)\(host)"), subnets: subnets(host: host),
            prefixes: ["10.32.0.0/16", "fd00:32::/48"].compactMap { Subnet($0) })
    }

    static func subnets(host: Int) -> [Subnet] {
        ["10.32.\(host).0/24", "fd00:32:0:\(host)::/64"].compactMap { Subnet($0) }
    }

    /// The addresses of a container: IPv4, then IPv6.
    static func addresses(host: Int, container: Int) -> [IPAddress] {
        [address("10.32.\(host).\(container)"), address("fd00:32:0:\(host)::\(container)")]
    }

    static func makeOverlay(
        _ configuration: OverlayConfiguration, in namespace: TestNamespace
    ) throws -> Overlay {
        try namespace.run { try Overlay(configuration) }
    }
}

/// All that netlink shows of some namespaces, but for counters and addresses that the kernel makes itself.
struct Snapshot: Equatable {
    private var text: [[String]] = []

    init(_ first: TestNamespace, _ second: TestNamespace) throws {
        try add(try RouteSocket(in: first.handle))
        try add(try RouteSocket(in: second.handle))
    }

    init(_ one: TestNamespace) throws { try add(try RouteSocket(in: one.handle)) }

    private mutating func add(_ routes: RouteSocket) throws {
        text.append(
            try routes.links().map {
                "\($0.index) \($0.name) \($0.kind ?? "") \($0.mtu) \($0.isUp) \($0.master?.rawValue ?? 0) "
                    + ($0.alias ?? "")
            })
        text.append(try routes.addresses().filter { !$0.isLinkLocal }.map { "\($0.interface) \($0)" })
        text.append(try routes.routes().filter { $0.destination.address.high >> 54 != 0x3fa }.map { "\($0)" }.sorted())
        text.append(try routes.neighbours().map { "\($0)" }.sorted())
    }
}
