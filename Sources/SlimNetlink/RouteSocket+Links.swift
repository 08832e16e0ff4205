internal import CNetlinkRoute
internal import SystemPackage

extension RouteSocket {
    /// All network interfaces of the namespace.
    package func links() throws(NetlinkError) -> [Link] {
        try list("links", fill: { rtnl_link_alloc_cache($0, AF_UNSPEC, &$1) }, convert: Link.init(library:))
    }

    /// The interface of a name, with its counters as they are now; `nil` when there is none.
    package func link(named name: String) throws(NetlinkError) -> Link? {
        try query("read", name) { (channel) throws(Errno) in
            guard (1..<Int(IFNAMSIZ)).contains(name.utf8.count) else { throw .invalidArgument }
            var link: OpaquePointer?
            defer { rtnl_link_put(link) }
            do throws(Errno) {
                try channel.check { rtnl_link_get_kernel($0, 0, name, &link) }
            } catch  where error == .noSuchDevice {
                return nil
            }
            return link.flatMap(Link.init(library:))
        }
    }

    /// The number of an interface.
    ///
    /// - Throws: `ENODEV` when there is none of that name.
    package func index(of name: String) throws(NetlinkError) -> InterfaceIndex {
        guard let link = try link(named: name) else {
            throw NetlinkError(operation: "find", object: name, errno: .noSuchDevice)
        }
        return link.index
    }

    /// Changes an interface in one request; see ``LinkChanges`` for what can change.
    package func change(_ index: InterfaceIndex, _ changes: LinkChanges) throws(NetlinkError) {
        try change(index, "change") { link in
            changes.apply(to: link)
        }
    }

    /// Brings an interface up.
    package func setUp(_ index: InterfaceIndex) throws(NetlinkError) {
        try change(index, LinkChanges(isUp: true))
    }

    /// Deletes an interface; one that is already gone is no error.
    package func delete(_ index: InterfaceIndex) throws(NetlinkError) {
        let link = rtnl_link_alloc()
        defer { rtnl_link_put(link) }
        rtnl_link_set_ifindex(link, index.rawValue)
        try request("delete", "link \(index)", accepting: [.noSuchDevice]) {
            rtnl_link_build_delete_request(link, &$0)
        }
    }

    /// Deletes the interface of a name; one that does not exist is no error.
    package func deleteLink(named name: String) throws(NetlinkError) {
        guard let link = try link(named: name) else { return }
        try delete(link.index)
    }

    func change(
        _ index: InterfaceIndex, _ operation: String, _ apply: (OpaquePointer?) -> Void
    ) throws(NetlinkError) {
        let original = rtnl_link_alloc()
        let changes = rtnl_link_alloc()
        defer {
            rtnl_link_put(original)
            rtnl_link_put(changes)
        }
        rtnl_link_set_ifindex(original, index.rawValue)
        apply(changes)
        try request(operation, "link \(index)") { rtnl_link_build_change_request(original, changes, 0, &$0) }
    }
}

extension LinkChanges {
    /// Writes what is to change into a libnl link.
    func apply(to link: OpaquePointer?) {
        if let isUp {
            isUp
                ? rtnl_link_set_flags(link, UInt32(IFF_UP.rawValue))
                : rtnl_link_unset_flags(link, UInt32(IFF_UP.rawValue))
        }
        if let mtu { rtnl_link_set_mtu(link, UInt32(clamping: mtu)) }
        if let mac { withLibraryAddress(mac) { rtnl_link_set_addr(link, $0) } }
        switch master {
        case .bridge(let index): rtnl_link_set_master(link, index.rawValue)
        case .some(.none): rtnl_link_set_master(link, 0)
        case nil: break
        }
        if let name { rtnl_link_set_name(link, name) }
        if let alias { rtnl_link_set_ifalias(link, alias) }
    }
}
