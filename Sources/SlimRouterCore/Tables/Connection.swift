internal import SlimRegistry
internal import SlimSystem

/// A live connection on a host socket of this host.
struct Connection: Equatable {
    enum Direction: UInt8 { case outgoing = 1, incoming = 2 }

    /// Of the container whose connection it is.
    let namespace: NamespaceCookie
    let direction: Direction
    let local: Endpoint
    let peer: Endpoint
    /// Whether the local port came from the container's pool, and goes back there.
    let isPortPooled: Bool
    /// Whether it was handed over before a program wanted it.
    var isPrepared = false
    /// Seconds since the epoch.
    let since: UInt64
}
