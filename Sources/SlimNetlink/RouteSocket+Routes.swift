internal import CNetlinkRoute
internal import SlimRegistry
internal import SystemPackage

extension RouteSocket {
    /// The routes of the main table that lead to one next hop or answer "unreachable".
    package func routes() throws(NetlinkError) -> [Route] {
        try list("routes", fill: { rtnl_route_alloc_cache($0, AF_UNSPEC, 0, &$1) }, convert: Route.init(library:))
    }

    /// Adds a route, in place of one for the same destination with the same metric.
    package func replace(_ route: Route) throws(NetlinkError) {
        let object = makeRoute(route)
        defer { rtnl_route_put(object) }
        try request("add route", "\(route)") {
            rtnl_route_build_add_request(object, NLM_F_CREATE | NLM_F_REPLACE, &$0)
        }
    }

    /// Deletes a route; one that does not exist is no error.
    package func delete(_ route: Route) throws(NetlinkError) {
        let object = makeRoute(route)
        defer { rtnl_route_put(object) }
        try request("delete route", "\(route)", accepting: [.noSuchProcess, .noSuchDevice]) {
            rtnl_route_build_del_request(object, 0, &$0)
        }
    }

    private func makeRoute(_ route: Route) -> OpaquePointer? {
        let object = rtnl_route_alloc()
        rtnl_route_set_family(object, UInt8(route.destination.address.family == .v4 ? AF_INET : AF_INET6))
        rtnl_route_set_table(object, UInt32(RT_TABLE_MAIN.rawValue))
        rtnl_route_set_protocol(object, route.origin.rawValue)
        if let metric = route.metric { rtnl_route_set_priority(object, metric) }
        _ = withLibraryAddress(route.destination.address, prefixLength: route.destination.length) {
            rtnl_route_set_dst(object, $0)
        }
        if let source = route.source {
            _ = withLibraryAddress(source) { rtnl_route_set_pref_src(object, $0) }
        }
        switch route.kind {
        case .unicast:
            let isLinkScope = route.gateway == nil && route.destination.address.family == .v4
            rtnl_route_set_type(object, UInt8(RTN_UNICAST))
            rtnl_route_set_scope(object, UInt8((isLinkScope ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE).rawValue))
            addNextHop(route, to: object)
        case .unreachable:
            rtnl_route_set_type(object, UInt8(RTN_UNREACHABLE))
            rtnl_route_set_scope(object, UInt8(RT_SCOPE_UNIVERSE.rawValue))
        }
        return object
    }

    private func addNextHop(_ route: Route, to object: OpaquePointer?) {
        let hop = rtnl_route_nh_alloc()
        if let interface = route.interface { rtnl_route_nh_set_ifindex(hop, interface.rawValue) }
        if let gateway = route.gateway { withLibraryAddress(gateway) { rtnl_route_nh_set_gateway(hop, $0) } }
        if route.isOnLink {
            rtnl_route_nh_set_flags(hop, UInt32(RTNH_F_ONLINK))
            rtnl_route_set_flags(object, UInt32(RTNH_F_ONLINK))
        }
        rtnl_route_add_nexthop(object, hop)
    }
}

extension Route {
    /// Converts libnl's form; `nil` for other tables, other types and several next hops.
    fileprivate init?(library route: OpaquePointer) {
        guard rtnl_route_get_table(route) == UInt32(RT_TABLE_MAIN.rawValue),
            rtnl_route_get_flags(route) & UInt32(RTM_F_CLONED) == 0,
            let destination = Subnet(library: rtnl_route_get_dst(route), family: CInt(rtnl_route_get_family(route)))
        else { return nil }
        let hops = rtnl_route_get_nnexthops(route)
        let kind: Kind
        switch Int(rtnl_route_get_type(route)) {
        case Int(RTN_UNICAST) where hops == 1: kind = .unicast
        case Int(RTN_UNREACHABLE): kind = .unreachable
        default: return nil
        }
        let hop = kind == .unicast ? rtnl_route_nexthop_n(route, 0) : nil
        let interface = hop.map { InterfaceIndex(rawValue: rtnl_route_nh_get_ifindex($0)) }
        let flags = rtnl_route_get_flags(route) | (hop.map { rtnl_route_nh_get_flags($0) } ?? 0)
        let metric = rtnl_route_get_priority(route)
        self.init(
            destination: destination, kind: kind,
            gateway: hop.flatMap { IPAddress(library: rtnl_route_nh_get_gateway($0)) },
            interface: interface, source: IPAddress(library: rtnl_route_get_pref_src(route)),
            isOnLink: flags & UInt32(RTNH_F_ONLINK) != 0, metric: metric == 0 ? nil : metric,
            origin: Origin(rawValue: rtnl_route_get_protocol(route)))
    }
}
