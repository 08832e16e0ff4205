internal import SlimRegistry

/// A live connection on a host socket of this host.
struct Connection {
    enum Direction: UInt8 { case outgoing = 1, incoming = 2 }

    let container: ContainerID
    let direction: Direction
    let local: Endpoint
    let peer: Endpoint
    /// Seconds since the epoch.
    let since: UInt64
}

/// A container's number in this router, never reused while it runs.
struct ContainerID: RawRepresentable, Hashable {
    let rawValue: UInt32
}
