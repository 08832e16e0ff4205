internal import CNetlinkRoute
internal import SystemPackage

extension RouteSocket {
    /// Changes how a bridge treats its port.
    ///
    /// libnl-route knows some of these attributes, and not isolation: the message is put together here.
    package func change(port: InterfaceIndex, _ settings: BridgePortSettings) throws(NetlinkError) {
        try request("change bridge port", "link \(port)") { message in
            message = nlmsg_alloc_simple(CInt(RTM_SETLINK), 0)
            var header = ifinfomsg()
            header.ifi_family = UInt8(AF_BRIDGE)
            header.ifi_index = port.rawValue
            let code = nlmsg_append(message, &header, MemoryLayout<ifinfomsg>.size, CInt(NLMSG_ALIGNTO))
            guard code == 0, let nest = nla_nest_start(message, CInt(IFLA_PROTINFO) | NLA_F_NESTED) else {
                return -NLE_NOMEM
            }
            for (attribute, value) in [
                (IFLA_BRPORT_ISOLATED, settings.isIsolated), (IFLA_BRPORT_LEARNING, settings.isLearning),
                (IFLA_BRPORT_UNICAST_FLOOD, settings.isFlooded),
            ] {
                guard let value else { continue }
                guard nla_put_u8(message, CInt(attribute), value ? 1 : 0) == 0 else { return -NLE_NOMEM }
            }
            return nla_nest_end(message, nest)
        }
    }

    /// Tells a bridge which of its ports a link-layer address is behind, for as long as the port exists.
    package func pin(_ mac: MACAddress, to port: InterfaceIndex) throws(NetlinkError) {
        let object = rtnl_neigh_alloc()
        defer { rtnl_neigh_put(object) }
        rtnl_neigh_set_ifindex(object, port.rawValue)
        rtnl_neigh_set_flags(object, UInt32(NTF_MASTER))
        rtnl_neigh_set_state(object, CInt(NUD_NOARP))
        withLibraryAddress(mac) { rtnl_neigh_set_lladdr(object, $0) }
        rtnl_neigh_set_family(object, AF_BRIDGE)
        try request("pin", "\(mac) to link \(port)") {
            rtnl_neigh_build_add_request(object, NLM_F_CREATE | NLM_F_REPLACE, &$0)
        }
    }
}
