internal import SlimGuard

/// On what condition host sockets are handed to containers.
enum Security: Sendable {
    /// To everybody: containers are trusted.
    case off
    /// Guarded.
    case guarded(any SocketGuard)
    /// Not at all: they would have to be guarded, and no guard works.
    case closed

    var isClosed: Bool {
        if case .closed = self { true } else { false }
    }

    /// The guard that works.
    var `guard`: (any SocketGuard)? {
        if case .guarded(let socketGuard) = self { socketGuard } else { nil }
    }
}
