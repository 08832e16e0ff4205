internal import SlimNetlink
internal import SlimRegistry
internal import SlimSystem
internal import Synchronization
internal import SystemPackage

/// The packet overlay of one host: what is not carried by host sockets goes through it.
///
/// A bridge owns the first address of each of the host's subnets, containers hang on it by veth pairs, and a VXLAN
/// device reaches the other hosts. Nothing is learnt and nothing is flooded: for each peer there is a route, a neighbour
/// and a forwarding entry.
///
///     container eth0 -- veth -- slim0 (10.32.1.1) -- routes -- slim-vx == UDP 4789 ==> peer
///
/// All operations are idempotent: what exists as it should be is kept, with the traffic that goes through it.
/// They block until the kernel has answered. Firewall rules are left alone: a FORWARD chain must let the bridge's
/// traffic through.
package final class Overlay: Sendable {
    let configuration: OverlayConfiguration
    let routes: RouteSocket
    let namespace: NetworkNamespace
    /// One operation after the other.
    private let order = Mutex(())

    /// Prepares to act in the calling thread's network namespace.
    package init(_ configuration: OverlayConfiguration) throws(OverlayError) {
        self.configuration = configuration
        routes = try explaining("overlay") { () throws(NetlinkError) in try RouteSocket() }
        do throws(Errno) {
            namespace = try NetworkNamespace.current()
        } catch {
            throw OverlayError(.kernel, "overlay: open the network namespace: \(error)", errno: error)
        }
    }

    /// Makes the bridge and the VXLAN device, or takes over what is there. What was made is removed again on failure.
    package func establish() throws(OverlayError) {
        try inOrder { () throws(OverlayError) in
            var made: [String] = []
            do throws(OverlayError) {
                let mtu = try fittingMTU()
                try enableForwarding()
                let bridge = try establishBridge(mtu: mtu, made: &made)
                try establishAddresses(on: bridge)
                try establishTunnel(mtu: mtu, made: &made)
                try establishPrefixes()
            } catch {
                for name in made { try? routes.deleteLink(named: name) }
                throw error
            }
        }
    }

    /// The MTU of everything in the overlay, in bytes: the configured one, or what fits the underlay.
    func fittingMTU() throws(OverlayError) -> Int {
        let (links, addresses) = try explaining("overlay") { () throws(NetlinkError) in
            (try routes.links(), try routes.addresses())
        }
        guard let owner = addresses.first(where: { $0.address == configuration.underlay })?.interface,
            let link = links.first(where: { $0.index == owner })
        else {
            let others = Set(addresses.filter { !$0.isLinkLocal && !$0.address.isLoopback }.map(\.address)).sorted()
            throw OverlayError(
                .configuration,
                "underlay.address: \(configuration.underlay) is on no interface of this host; "
                    + "use one of \(others.map(\.description).joined(separator: ", "))")
        }
        let largest = min(link.mtu, 65535) - configuration.overheadBytes
        let mtu = configuration.mtu ?? largest
        let smallest = configuration.usesIPv6 ? 1280 : 576
        guard mtu <= largest else {
            throw OverlayError(
                .configuration,
                "overlay.mtu: \(mtu) does not fit \(link.name) (MTU \(link.mtu), VXLAN takes "
                    + "\(configuration.overheadBytes)); use at most \(largest), or leave it out")
        }
        guard mtu >= smallest else {
            throw OverlayError(
                .configuration,
                "overlay.mtu: \(mtu) is less than IP allows; raise the MTU of \(link.name) to "
                    + "\(smallest + configuration.overheadBytes) or more")
        }
        return mtu
    }

    func inOrder(_ body: () throws(OverlayError) -> Void) throws(OverlayError) {
        try order.withLock { (_) throws(OverlayError) in try body() }
    }
}
