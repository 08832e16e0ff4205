/// What `slimctl lab status` shows. The names of the properties are those of the JSON, which scripts rely on.
package struct LabStatus: Encodable, Sendable {
    package struct Host: Encodable, Sendable {
        package let name: String
        package let address: String
        /// `nil` when the router does not run: written as `null`.
        package let routerPID: Int32?
        package let adminSocket: String
        package let containers: [Container]

        private enum Key: String, CodingKey { case name, address, routerPID, adminSocket, containers }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(name, forKey: .name)
            try container.encode(address, forKey: .address)
            try container.encode(routerPID, forKey: .routerPID)
            try container.encode(adminSocket, forKey: .adminSocket)
            try container.encode(containers, forKey: .containers)
        }
    }

    package struct Container: Encodable, Sendable {
        package let name: String
        package let ipv4: String
        package let ipv6: String
        package let netns: String
    }

    package let name: String
    package let hosts: [Host]
}

extension Lab {
    /// The lab as it is now.
    package func status() -> LabStatus {
        LabStatus(
            name: record.name,
            hosts: record.hosts.map { host in
                LabStatus.Host(
                    name: host.name, address: host.address,
                    routerPID: LabRouter(directory: directory, host: host).process?.id,
                    adminSocket: directory.adminSocket(host.name),
                    containers: host.containers.map {
                        LabStatus.Container(
                            name: $0.name, ipv4: $0.ipv4, ipv6: $0.ipv6, netns: directory.networkNamespace(of: $0.name))
                    })
            })
    }
}
