internal import CNetlinkRoute
internal import SlimRegistry
internal import SystemPackage

extension RouteSocket {
    /// All addresses of all interfaces of the namespace.
    package func addresses() throws(NetlinkError) -> [InterfaceAddress] {
        try list(
            "addresses", fill: { rtnl_addr_alloc_cache($0, &$1) },
            convert: { object in
                guard let address = IPAddress(library: rtnl_addr_get_local(object)) else { return nil }
                return InterfaceAddress(
                    interface: InterfaceIndex(rawValue: rtnl_addr_get_ifindex(object)), address: address,
                    prefixLength: Int(rtnl_addr_get_prefixlen(object)))
            })
    }

    /// Gives an interface an address; one that it has already stays. An IPv6 address is usable at once (`nodad`).
    package func replace(_ address: InterfaceAddress) throws(NetlinkError) {
        let object = makeAddress(address)
        defer { rtnl_addr_put(object) }
        if address.address.family == .v6 { rtnl_addr_set_flags(object, UInt32(IFA_F_NODAD)) }
        try request("add address", "\(address)") {
            rtnl_addr_build_add_request(object, NLM_F_CREATE | NLM_F_REPLACE, &$0)
        }
    }

    /// Takes an address from an interface; one that it does not have is no error.
    package func delete(_ address: InterfaceAddress) throws(NetlinkError) {
        let object = makeAddress(address)
        defer { rtnl_addr_put(object) }
        try request(
            "delete address", "\(address)", accepting: [.addressNotAvailable, .noSuchDevice, .noSuchAddressOrDevice]
        ) {
            rtnl_addr_build_delete_request(object, 0, &$0)
        }
    }

    private func makeAddress(_ address: InterfaceAddress) -> OpaquePointer? {
        let object = rtnl_addr_alloc()
        rtnl_addr_set_ifindex(object, address.interface.rawValue)
        _ = withLibraryAddress(address.address, prefixLength: address.prefixLength) { rtnl_addr_set_local(object, $0) }
        return object
    }
}
