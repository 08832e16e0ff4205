package import SlimRegistry

/// Who this router is to its peers, and where it listens for them.
package struct ControlConfiguration: Sendable {
    /// This host's name: the one in its certificate and in its peers' registries.
    package let name: String
    package let listenAddress: IPAddress
    /// The control port, the same on every host of the cluster.
    package let port: Port
    package let certificatePath: String
    package let keyPath: String
    /// The certificate of the cluster's authority.
    package let authorityPath: String
    /// What the greeting tells of the program, for peers' logs.
    package let software: String
    package let timings: ControlTimings

    package init(
        name: String, listenAddress: IPAddress, port: Port, certificatePath: String, keyPath: String,
        authorityPath: String, software: String = "slimrouter", timings: ControlTimings = ControlTimings()
    ) {
        self.name = name
        self.listenAddress = listenAddress
        self.port = port
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.authorityPath = authorityPath
        self.software = software
        self.timings = timings
    }
}
