internal import SlimNetlink

extension Overlay {
    /// Whether the bridge or the VXLAN device of an overlay of this configuration is in the current network namespace.
    package static func exists(_ configuration: OverlayConfiguration) throws(OverlayError) -> Bool {
        try explaining("overlay") { () throws(NetlinkError) in
            let routes = try RouteSocket()
            if try routes.link(named: configuration.bridge) != nil { return true }
            return try routes.link(named: configuration.vxlan) != nil
        }
    }
}
