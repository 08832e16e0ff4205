package import SlimNetlink
package import SlimRegistry

/// How the host sees a container on the bridge: known before it is attached.
package struct ContainerPort: Hashable, Sendable {
    /// The name of the bridge's port.
    package let interface: String
    /// Where the container's frames come from.
    package let mac: MACAddress

    /// - Returns: `nil` without an address: what has none is no container.
    package init?(container: String, addresses: [IPAddress]) {
        guard let first = addresses.first else { return nil }
        interface = ContainerLink(container: container).name
        mac = HardwareAddress.container(first)
    }
}
