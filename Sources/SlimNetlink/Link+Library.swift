internal import CNetlinkRoute
internal import SlimRegistry

extension Link {
    /// Converts libnl's form; `nil` without a name.
    init?(library link: OpaquePointer) {
        guard let name = rtnl_link_get_name(link) else { return nil }
        let count = { (counter: rtnl_link_stat_id_t) in rtnl_link_get_stat(link, counter) }
        let interface = { (index: CInt) in index > 0 ? InterfaceIndex(rawValue: index) : nil }
        self.init(
            index: InterfaceIndex(rawValue: rtnl_link_get_ifindex(link)),
            name: String(cString: name),
            kind: rtnl_link_get_type(link).map { String(cString: $0) },
            mac: MACAddress(library: rtnl_link_get_addr(link)),
            mtu: Int(rtnl_link_get_mtu(link)),
            isUp: rtnl_link_get_flags(link) & UInt32(IFF_UP.rawValue) != 0,
            master: interface(rtnl_link_get_master(link)),
            peer: interface(rtnl_link_get_link(link)),
            alias: rtnl_link_get_ifalias(link).map { String(cString: $0) },
            vxlan: VXLAN(library: link),
            counters: LinkCounters(
                receivedBytes: count(RTNL_LINK_RX_BYTES), receivedPackets: count(RTNL_LINK_RX_PACKETS),
                sentBytes: count(RTNL_LINK_TX_BYTES), sentPackets: count(RTNL_LINK_TX_PACKETS)))
    }
}

extension Link.VXLAN {
    fileprivate init?(library link: OpaquePointer) {
        guard rtnl_link_is_vxlan(link) != 0 else { return nil }
        var id: UInt32 = 0
        var port: UInt32 = 0
        var local: OpaquePointer?
        guard rtnl_link_vxlan_get_id(link, &id) == 0, rtnl_link_vxlan_get_port(link, &port) == 0 else { return nil }
        defer { nl_addr_put(local) }
        rtnl_link_vxlan_get_local(link, &local)
        self.init(
            id: id, port: Port(UInt16(truncatingIfNeeded: port)), local: IPAddress(library: local),
            isLearning: rtnl_link_vxlan_get_learning(link) == 1, copiesTrafficClass: rtnl_link_vxlan_get_tos(link) == 1)
    }
}
