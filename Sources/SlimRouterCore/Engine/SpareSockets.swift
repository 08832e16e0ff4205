internal import SlimSystem
internal import SystemPackage

/// Host sockets made in advance, a few at a time: making one takes a tenth of a connect's time, and is done after an
/// answer rather than before it.
struct SpareSockets {
    private static let batch = 8

    private var v4: [Handover] = []
    private var v6: [Handover] = []

    /// A blocking socket that may put data into its SYN. One that was made in advance, if there is one.
    mutating func take(_ family: KernelAddress.Family) throws(Errno) -> OwnedDescriptor {
        if let spare = family == .v4 ? v4.popLast() : v6.popLast() { return spare.take() }
        return try Self.make(family)
    }

    /// Makes the next ones of a family when there are none.
    mutating func replenish(_ family: KernelAddress.Family) {
        guard family == .v4 ? v4.isEmpty : v6.isEmpty else { return }
        for _ in 0..<Self.batch {
            guard let spare = try? Self.make(family) else { return }
            if family == .v4 { v4.append(Handover(spare)) } else { v6.append(Handover(spare)) }
        }
    }

    private static func make(_ family: KernelAddress.Family) throws(Errno) -> OwnedDescriptor {
        let socket = try StreamSocket.open(family, nonblocking: false)
        try StreamSocket.set(.fastOpenWithoutCookie, 1, on: socket.raw)
        return socket
    }
}
