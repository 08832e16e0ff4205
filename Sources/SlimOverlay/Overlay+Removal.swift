internal import SlimNetlink
internal import SlimRegistry

extension Overlay {
    /// Removes what an overlay of this configuration made in the current network namespace: the containers' interfaces,
    /// the bridge, the VXLAN device, with them all addresses and routes. What is gone already is no error.
    ///
    /// Forwarding stays switched on: others may have come to depend on it.
    /// - Throws: when one of the names belongs to a device that is not Slim's; nothing is removed then.
    package static func remove(_ configuration: OverlayConfiguration) throws(OverlayError) {
        let routes = try explaining("overlay") { () throws(NetlinkError) in try RouteSocket() }
        let bridge = try existing(configuration.bridge, kind: "bridge", key: "overlay.bridge", routes)
        let tunnel = try existing(configuration.vxlan, kind: "vxlan", key: "overlay.vxlan", routes)
        try explaining("overlay") { () throws(NetlinkError) in
            for route in try routes.routes() where route.origin == .slim && route.kind == .unreachable {
                try routes.delete(route)
            }
            if let bridge {
                for link in try routes.links() where link.master == bridge.index && ContainerLink.isOne(link) {
                    try routes.delete(link.index)
                }
                try routes.delete(bridge.index)
            }
            if let tunnel { try routes.delete(tunnel.index) }
        }
    }
}
