internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// What must be made inside a container's namespace before the connection thread can serve it.
struct ContainerArrangement: Sendable {
    let name: String
    let namespace: NamespaceCookie
    let ipv4: IPAddress?
    let ipv6: IPAddress?
    let labels: [String: String]
    let defaults: (v4: SocketOptions, v6: SocketOptions)
    /// The router's socket, bound: taken by the connection thread.
    let door: Handover

    /// Binds the router's socket in the namespace and reads what new sockets there are like.
    ///
    /// - Throws: `EADDRINUSE` when another router serves the namespace.
    init(
        name: String, in network: borrowing NetworkNamespace, ipv4: IPAddress?, ipv6: IPAddress?,
        labels: [String: String]
    ) throws(Errno) {
        self.name = name
        self.labels = labels
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        namespace = try network.cookie()
        let door = Handover()
        defaults = try network.run { () throws(Errno) in
            door.put(try Self.listen())
            let v4 = try StreamSocket.open(.v4, nonblocking: false)
            let options = SocketOptions(of: v4.raw, family: .v4)
            // Where IPv6 is switched off there are no IPv6 sockets to compare.
            guard let v6 = try? StreamSocket.open(.v6, nonblocking: false) else { return (options, options) }
            return (options, SocketOptions(of: v6.raw, family: .v6))
        }
        self.door = door
    }

    /// A container that was detached a moment ago may still be letting go of the name.
    private static func listen() throws(Errno) -> OwnedDescriptor {
        for _ in 0..<50 {
            do throws(Errno) { return try LocalSocket.listener(at: "@slim") } catch {
                if error != .addressInUse { throw error }
            }
            pause(.milliseconds(20))
        }
        return try LocalSocket.listener(at: "@slim")
    }
}
