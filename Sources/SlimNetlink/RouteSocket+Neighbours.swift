internal import CNetlinkRoute
internal import SlimRegistry
internal import SystemPackage

extension RouteSocket {
    /// The permanent neighbours on all interfaces of the namespace.
    package func neighbours() throws(NetlinkError) -> [Neighbour] {
        try list(
            "neighbours", fill: { rtnl_neigh_alloc_cache($0, &$1) },
            convert: { object in
                guard rtnl_neigh_get_state(object) & CInt(NUD_PERMANENT) != 0,
                    let address = IPAddress(library: rtnl_neigh_get_dst(object)),
                    let mac = MACAddress(library: rtnl_neigh_get_lladdr(object))
                else { return nil }
                return Neighbour(
                    interface: InterfaceIndex(rawValue: rtnl_neigh_get_ifindex(object)), address: address, mac: mac)
            })
    }

    /// Adds a permanent neighbour, in place of what is known about the address.
    package func replace(_ neighbour: Neighbour) throws(NetlinkError) {
        let object = makeNeighbour(neighbour)
        defer { rtnl_neigh_put(object) }
        try request("add neighbour", "\(neighbour)") {
            rtnl_neigh_build_add_request(object, NLM_F_CREATE | NLM_F_REPLACE, &$0)
        }
    }

    /// Deletes a neighbour; one that does not exist is no error.
    package func delete(_ neighbour: Neighbour) throws(NetlinkError) {
        let object = makeNeighbour(neighbour)
        defer { rtnl_neigh_put(object) }
        try request(
            "delete neighbour", "\(neighbour)",
            accepting: [.noSuchFileOrDirectory, .noSuchDevice, .noSuchAddressOrDevice]
        ) {
            rtnl_neigh_build_delete_request(object, 0, &$0)
        }
    }

    private func makeNeighbour(_ neighbour: Neighbour) -> OpaquePointer? {
        let object = rtnl_neigh_alloc()
        rtnl_neigh_set_ifindex(object, neighbour.interface.rawValue)
        rtnl_neigh_set_state(object, CInt(NUD_PERMANENT))
        _ = withLibraryAddress(neighbour.address) { rtnl_neigh_set_dst(object, $0) }
        withLibraryAddress(neighbour.mac) { rtnl_neigh_set_lladdr(object, $0) }
        return object
    }
}
