internal import CNetlinkRoute
internal import SlimRegistry
internal import SystemPackage

extension RouteSocket {
    /// The forwarding entries of a VXLAN device that name a host.
    package func forwardingEntries(of interface: InterfaceIndex) throws(NetlinkError) -> [ForwardingEntry] {
        let entries = try list(
            "forwarding entries",
            fill: { socket, cache in
                let code = nl_cache_alloc_name("route/neigh", &cache)
                guard code == 0, let filled = cache else { return code }
                let sent = requestForwardingEntries(socket)
                return sent < 0 ? sent : nl_cache_pickup(socket, filled)
            },
            convert: ForwardingEntry.init(library:))
        return entries.filter { $0.interface == interface }
    }

    /// Adds a forwarding entry, in place of one for the same link-layer address.
    package func replace(_ entry: ForwardingEntry) throws(NetlinkError) {
        let object = makeEntry(entry)
        defer { rtnl_neigh_put(object) }
        try request("add forwarding entry", "\(entry)") {
            rtnl_neigh_build_add_request(object, NLM_F_CREATE | NLM_F_REPLACE, &$0)
        }
    }

    /// Deletes a forwarding entry; one that does not exist is no error.
    package func delete(_ entry: ForwardingEntry) throws(NetlinkError) {
        let object = makeEntry(entry)
        defer { rtnl_neigh_put(object) }
        try request(
            "delete forwarding entry", "\(entry)",
            accepting: [.noSuchFileOrDirectory, .noSuchDevice, .noSuchAddressOrDevice]
        ) {
            rtnl_neigh_build_delete_request(object, 0, &$0)
        }
    }

    private func makeEntry(_ entry: ForwardingEntry) -> OpaquePointer? {
        let object = rtnl_neigh_alloc()
        rtnl_neigh_set_ifindex(object, entry.interface.rawValue)
        rtnl_neigh_set_flags(object, UInt32(NTF_SELF))
        rtnl_neigh_set_state(object, CInt(NUD_PERMANENT) | CInt(NUD_NOARP))
        withLibraryAddress(entry.mac) { rtnl_neigh_set_lladdr(object, $0) }
        _ = withLibraryAddress(entry.host) { rtnl_neigh_set_dst(object, $0) }
        // Last: once the family is known, an address of another is not taken.
        rtnl_neigh_set_family(object, AF_BRIDGE)
        return object
    }
}

/// Asks for the forwarding databases: libnl's own request asks for neighbours of the IP families only.
private func requestForwardingEntries(_ socket: OpaquePointer) -> CInt {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_BRIDGE)
    return nl_send_simple(socket, CInt(RTM_GETNEIGH), NLM_F_DUMP, &header, MemoryLayout<ndmsg>.size)
}

extension ForwardingEntry {
    fileprivate init?(library object: OpaquePointer) {
        guard let mac = MACAddress(library: rtnl_neigh_get_lladdr(object)),
            let host = IPAddress(library: rtnl_neigh_get_dst(object))
        else { return nil }
        self.init(interface: InterfaceIndex(rawValue: rtnl_neigh_get_ifindex(object)), mac: mac, host: host)
    }
}
