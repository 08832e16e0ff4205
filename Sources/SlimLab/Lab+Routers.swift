internal import SlimConfiguration
internal import SlimGuard
internal import SlimPKI
internal import SlimRegistry

extension Lab {
    /// The router of a host.
    package func router(of host: String) throws(LabError) -> LabRouter {
        LabRouter(directory: directory, host: try self.host(host))
    }

    /// Starts a host's router and returns when it serves the host's containers. One that runs stays.
    package func startRouter(of host: String, _ binaries: LabBinaries) async throws(LabError) {
        let router = try router(of: host)
        let process = try router.launch(binaries)
        try await router.waitUntilReady(process)
        try await router.attachContainers()
    }

    /// Starts all routers together, and returns when they serve their containers and are connected to each other.
    func startRouters(_ binaries: LabBinaries) async throws(LabError) {
        let routers = record.hosts.map { LabRouter(directory: directory, host: $0) }
        var processes: [Int32?] = []
        for router in routers { processes.append(try router.launch(binaries)) }
        for (router, process) in zip(routers, processes) { try await router.waitUntilReady(process) }
        for router in routers { try await router.attachContainers() }
        for router in routers { try await router.waitUntilConnected(to: routers.count - 1) }
    }

    /// Makes the cluster's authority, every host's certificate and every router's configuration.
    func writeConfigurations() throws(LabError) {
        do throws(PKIError) {
            try PKI.createAuthority(in: directory.pkiDirectory, clusterName: "lab-\(record.name)")
            for host in record.hosts { try PKI.issue(host: host.name, directory: directory.pkiDirectory) }
        } catch {
            throw LabError(.machine, "lab \(record.name): certificates: \(error)")
        }
        for host in record.hosts {
            try LabFile.makeDirectory(directory.hostDirectory(host.name))
            try LabFile.makeDirectory(directory.routerDirectory(host.name), mode: 0o755)
            if record.hasPolicy { try LabFile.write(Array(Self.openPolicy.utf8), to: directory.policyFile(host.name)) }
            let path = directory.routerConfiguration(host.name)
            do {
                try configuration(of: host).write(to: path)
            } catch {
                throw LabError(.machine, "\(path): cannot be written: \(error)")
            }
        }
    }

    /// Allows everything, until another one is loaded.
    private static let openPolicy = "{\"version\": 1}\n"

    private func configuration(of host: LabHost) throws(LabError) -> RouterConfiguration {
        let peers = try record.hosts.filter { $0 != host }.map { (other) throws(LabError) in
            Peer(name: other.name, address: try underlay(other), subnets: other.subnets.compactMap { Subnet($0) })
        }
        let pki = directory.pkiDirectory
        return RouterConfiguration(
            name: host.name, underlay: Underlay(address: try underlay(host)),
            overlay: OverlaySettings(subnets: host.subnets.compactMap { Subnet($0) }),
            pki: Credentials(
                authority: "\(pki)/ca.crt", certificate: "\(pki)/\(host.name).crt", key: "\(pki)/\(host.name).key"),
            peers: peers, policy: record.hasPolicy ? directory.policyFile(host.name) : nil,
            directory: directory.routerDirectory(host.name),
            secure: SecureSettings(required: record.isSecure, guard: record.isSecure ? .bpf : .auto))
    }

    private func underlay(_ host: LabHost) throws(LabError) -> IPAddress {
        guard let address = IPAddress(host.address) else {
            throw LabError(
                .state, "\(directory.recordPath): \(host.name): \(host.address.debugDescription) is no address")
        }
        return address
    }
}
