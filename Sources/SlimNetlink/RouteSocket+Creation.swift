internal import CNetlinkRoute
internal import SlimRegistry
package import SlimSystem
internal import SystemPackage

extension RouteSocket {
    /// Makes a bridge.
    ///
    /// - Throws: `EEXIST` when the name is taken; so do the functions below.
    package func createBridge(_ name: String, _ changes: LinkChanges = LinkChanges()) throws(NetlinkError) {
        try create("bridge", name, changes, rtnl_link_alloc()) { rtnl_link_set_type($0, "bridge") }
    }

    /// Makes an interface that swallows what is sent to it.
    package func createDummy(_ name: String, _ changes: LinkChanges = LinkChanges()) throws(NetlinkError) {
        try create("dummy", name, changes, rtnl_link_alloc()) { rtnl_link_set_type($0, "dummy") }
    }

    /// Makes an intermediate functional block: packets of other devices are sent through it to be queued, and go on where they
    /// were going.
    ///
    /// - Parameter queueLength: in packets, of queues that are not told otherwise.
    package func createFunctionalBlock(_ name: String, queueLength: UInt32) throws(NetlinkError) {
        try create("ifb device", name, LinkChanges(), rtnl_link_alloc()) { link in
            rtnl_link_set_txqlen(link, queueLength)
            return rtnl_link_set_type(link, "ifb")
        }
    }

    /// Makes a VXLAN device without a default destination: it sends only where its forwarding entries say.
    package func createVXLAN(
        _ name: String, _ parameters: Link.VXLAN, _ changes: LinkChanges = LinkChanges()
    ) throws(NetlinkError) {
        try create("VXLAN device", name, changes, rtnl_link_vxlan_alloc()) { link in
            let code = rtnl_link_vxlan_set_id(link, parameters.id)
            rtnl_link_vxlan_set_port(link, UInt32(parameters.port.rawValue))
            rtnl_link_vxlan_set_learning(link, parameters.isLearning ? 1 : 0)
            // 1 stands for "inherit".
            if parameters.copiesTrafficClass { rtnl_link_vxlan_set_tos(link, 1) }
            if let local = parameters.local {
                _ = withLibraryAddress(local) { rtnl_link_vxlan_set_local(link, $0) }
            }
            return code
        }
    }

    /// Makes a pair of connected interfaces, both in this namespace.
    package func createVeth(
        _ name: String, _ changes: LinkChanges = LinkChanges(), peer: String, _ peerChanges: LinkChanges = LinkChanges()
    ) throws(NetlinkError) {
        try createVeth(name, changes, peer, peerChanges, descriptor: nil)
    }

    /// Makes a pair of connected interfaces, the other end directly in another namespace.
    ///
    /// The other end cannot be brought up, or be made a bridge's port, in the same request.
    package func createVeth(
        _ name: String, _ changes: LinkChanges = LinkChanges(), peer: String,
        _ peerChanges: LinkChanges = LinkChanges(),
        in namespace: borrowing NetworkNamespace
    ) throws(NetlinkError) {
        try createVeth(name, changes, peer, peerChanges, descriptor: namespace.descriptor.raw)
    }

    /// Moves an interface to another namespace, under another name if one is given: it arrives down, without addresses.
    package func move(
        _ index: InterfaceIndex, to namespace: borrowing NetworkNamespace, name: String? = nil
    ) throws(NetlinkError) {
        let descriptor = namespace.descriptor.raw
        try change(index, "move") { link in
            rtnl_link_set_ns_fd(link, descriptor)
            if let name { rtnl_link_set_name(link, name) }
        }
    }

    private func createVeth(
        _ name: String, _ changes: LinkChanges, _ peer: String, _ peerChanges: LinkChanges, descriptor: CInt?
    ) throws(NetlinkError) {
        try create("veth pair", name, changes, rtnl_link_veth_alloc()) { link in
            let other = rtnl_link_veth_get_peer(link)
            defer { rtnl_link_put(other) }
            peerChanges.apply(to: other)
            rtnl_link_set_name(other, peer)
            if let descriptor { rtnl_link_set_ns_fd(other, descriptor) }
            return 0
        }
    }

    private func create(
        _ kind: String, _ name: String, _ changes: LinkChanges, _ link: OpaquePointer?,
        _ prepare: (OpaquePointer?) -> CInt
    ) throws(NetlinkError) {
        defer { rtnl_link_put(link) }
        guard (1..<Int(IFNAMSIZ)).contains(name.utf8.count), prepare(link) == 0 else {
            throw NetlinkError(operation: "create \(kind)", object: name, errno: .invalidArgument)
        }
        changes.apply(to: link)
        rtnl_link_set_name(link, name)
        try request("create \(kind)", name) {
            rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &$0)
        }
    }
}
