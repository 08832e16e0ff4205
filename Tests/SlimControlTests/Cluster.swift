import FoundationEssentials
import Logging
import SlimControl
import SlimPKI
import SlimRegistry
import Synchronization

/// Certificates of one authority and loopback addresses that no other cluster of this run has.
final class Cluster: Sendable {
    private static let clusters = Atomic<UInt8>(0)

    let directory: String
    private let network: UInt8

    init() throws {
        network = Self.clusters.add(1, ordering: .relaxed).newValue
        directory = FileManager.default.temporaryDirectory.path + "/slim-control-\(UUID().uuidString)"
        try PKI.createAuthority(in: directory)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    static let port = Port(4799)

    /// `h2` lives at 127.N.P.2, where N is the cluster's and P the process's: parallel runs stay apart.
    func address(_ host: String) -> IPAddress {
        let process = UInt8(truncatingIfNeeded: ProcessInfo.processInfo.processIdentifier)
        return IPAddress(v4: (127, 10 + network, process, UInt8(host.dropFirst()) ?? 250))
    }

    func record(_ host: String, at other: String? = nil, pinned: String? = nil) -> HostRecord {
        HostRecord(name: host, underlay: address(other ?? host), subnets: [], certificateFingerprint: pinned)
    }

    func path(_ file: String) -> String { "\(directory)/\(file)" }

    func issue(_ host: String) throws {
        if !FileManager.default.fileExists(atPath: path("\(host).crt")) {
            try PKI.issue(host: host, directory: directory)
        }
    }

    /// A configuration for a host, which gets a certificate when it has none.
    func configuration(
        _ host: String, at address: IPAddress? = nil, port: Port = Cluster.port,
        timings: ControlTimings = ControlTimings()
    ) throws -> ControlConfiguration {
        try issue(host)
        return ControlConfiguration(
            name: host, listenAddress: address ?? self.address(host), port: port, certificatePath: path("\(host).crt"),
            keyPath: path("\(host).key"), authorityPath: path("ca.crt"), software: "test", timings: timings)
    }

    /// A router's control plane that runs.
    func start(
        _ host: String, at address: IPAddress? = nil, peers: [HostRecord], timings: ControlTimings = ControlTimings()
    ) async throws -> TestRouter {
        let router = TestRouter(try configuration(host, at: address, timings: timings))
        router.plane.update(peers: peers)
        try await router.plane.start()
        return router
    }
}
