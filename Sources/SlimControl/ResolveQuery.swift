package import SlimRegistry

/// Asks the router that owns a destination whether a connection would be taken.
package struct ResolveQuery: Sendable, Equatable {
    /// Chosen by the asker; the answer repeats it.
    package let id: UInt64
    /// The overlay address of the container that connects.
    package let source: IPAddress
    package let destination: Endpoint

    package init(id: UInt64, source: IPAddress, destination: Endpoint) {
        self.id = id
        self.source = source
        self.destination = destination
    }
}
