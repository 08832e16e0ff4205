package import SlimRegistry
package import SlimSystem

/// A TCP socket as the kernel's socket diagnostics show it.
package struct SocketRecord: Hashable, Sendable {
    package let cookie: SocketCookie
    package let local: Endpoint
    /// Where it is connected to; unspecified for a listener.
    package let remote: Endpoint
    /// The one state that it is in.
    package let state: TCPStates
    /// The family of the socket: an IPv6 one may have IPv4 addresses.
    package let family: IPAddress.Family
    /// The interface that it is bound to; 0 for none.
    package let interface: UInt32
    /// Its number in `/proc/PID/fd`; 0 when no descriptor refers to it.
    package let inode: UInt32
    /// The user who made it.
    package let uid: UInt32
    /// Its counts, where they were asked for.
    package let traffic: SocketTraffic?

    package init(
        cookie: SocketCookie, local: Endpoint, remote: Endpoint, state: TCPStates, family: IPAddress.Family,
        interface: UInt32 = 0, inode: UInt32 = 0, uid: UInt32 = 0, traffic: SocketTraffic? = nil
    ) {
        self.cookie = cookie
        self.local = local
        self.remote = remote
        self.state = state
        self.family = family
        self.interface = interface
        self.inode = inode
        self.uid = uid
        self.traffic = traffic
    }
}
