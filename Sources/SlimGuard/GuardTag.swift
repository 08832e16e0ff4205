internal import CSlimGuard
package import SlimRegistry
internal import SlimSystem

/// What a guard knows of a socket.
package struct GuardTag: Hashable, Sendable {
    /// In the overlay: what `getsockname` answers.
    package var local: Endpoint
    /// In the overlay: what `getpeername` answers.
    package var peer: Endpoint
    /// Of the policy that has allowed the connection.
    package var generation: UInt64
    /// In the underlay: where the socket, which is not connected, may be connected to, once. `nil`: nowhere, ever.
    package var destination: Endpoint?

    package init(local: Endpoint, peer: Endpoint, generation: UInt64, destination: Endpoint? = nil) {
        self.local = local
        self.peer = peer
        self.generation = generation
        self.destination = destination
    }

    /// As the kernel is told.
    func cTag(fd: CInt, cookie: UInt64) -> slim_guard_tag {
        var tag = slim_guard_tag()
        tag.fd = fd
        tag.cookie = cookie
        tag.id = cookie
        tag.generation = generation
        tag.local = slim_guard_address(local)
        tag.peer = slim_guard_address(peer)
        if let destination {
            tag.flags = SLIM_GUARD_TAG_PREPARED.rawValue
            tag.destination = slim_guard_address(destination)
        }
        return tag
    }
}

extension slim_guard_address {
    init(_ endpoint: Endpoint) {
        self.init()
        let address = endpoint.address
        family = UInt16((address.family == .v4 ? KernelAddress.Family.v4 : .v6).rawValue)
        port = endpoint.port.rawValue
        withUnsafeMutableBytes(of: &bytes) { bytes in
            bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }
}
