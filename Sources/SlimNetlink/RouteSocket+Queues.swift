internal import CNetlinkRoute
internal import SystemPackage

/// How a device queues what it sends.
extension RouteSocket {
    /// A queue as the kernel shows it.
    package struct Queue: Hashable, Sendable {
        package let interface: InterfaceIndex
        /// `htb`, `clsact`, `noqueue`.
        package let kind: String
        package let handle: QueueHandle
        package let parent: QueueHandle
    }

    /// All queues of all devices of the namespace.
    package func queues() throws(NetlinkError) -> [Queue] {
        try list(
            "queues", fill: { rtnl_qdisc_alloc_cache($0, &$1) },
            convert: { object in
                guard let kind = rtnl_tc_get_kind(object) else { return nil }
                return Queue(
                    interface: InterfaceIndex(rawValue: rtnl_tc_get_ifindex(object)), kind: String(cString: kind),
                    handle: QueueHandle(rawValue: rtnl_tc_get_handle(object)),
                    parent: QueueHandle(rawValue: rtnl_tc_get_parent(object)))
            })
    }

    /// Makes a hierarchical token bucket the outermost queue of a device, unless it is one of that handle already.
    ///
    /// - Parameter fallback: the class of what no filter gives one; 0 lets it pass unlimited.
    package func createTokenBucket(
        on interface: InterfaceIndex, _ handle: QueueHandle, fallback: UInt16
    ) throws(NetlinkError) {
        try add(
            queue: "htb", interface, handle, parent: .root, flags: NLM_F_CREATE | NLM_F_EXCL, accepting: [.fileExists]
        ) {
            rtnl_htb_set_defcls($0, UInt32(fallback))
        }
    }

    /// Makes a queue that holds so much and drops the rest, in place of the one that is there.
    package func replaceQueue(
        on interface: InterfaceIndex, parent: QueueHandle, limitBytes: Int32
    ) throws(NetlinkError) {
        try add(queue: "bfifo", interface, nil, parent: parent, flags: NLM_F_CREATE | NLM_F_REPLACE, accepting: []) {
            rtnl_qdisc_fifo_set_limit($0, limitBytes)
        }
    }

    /// Has a device pass what it sends and receives by filters. One that does already stays as it is.
    package func createFilterPlace(on interface: InterfaceIndex) throws(NetlinkError) {
        try add(
            queue: "clsact", interface, QueueHandle(0xffff, 0), parent: .clsact, flags: NLM_F_CREATE | NLM_F_EXCL,
            accepting: [.fileExists]
        ) { _ in 0 }
    }

    private func add(
        queue kind: String, _ interface: InterfaceIndex, _ handle: QueueHandle?, parent: QueueHandle, flags: CInt,
        accepting: [Errno], _ prepare: (OpaquePointer?) -> CInt
    ) throws(NetlinkError) {
        let queue = rtnl_qdisc_alloc()
        defer { rtnl_qdisc_put(queue) }
        rtnl_tc_set_ifindex(queue, interface.rawValue)
        if let handle { rtnl_tc_set_handle(queue, handle.rawValue) }
        rtnl_tc_set_parent(queue, parent.rawValue)
        guard rtnl_tc_set_kind(queue, kind) == 0, prepare(queue) >= 0 else {
            throw NetlinkError(operation: "add \(kind)", object: "link \(interface)", errno: .invalidArgument)
        }
        try request("add \(kind)", "link \(interface)", accepting: accepting) {
            rtnl_qdisc_build_add_request(queue, flags, &$0)
        }
    }

    /// Takes a device's outermost queue away: it has the kernel's usual one then. That there is none is no error.
    package func deleteQueue(on interface: InterfaceIndex) throws(NetlinkError) {
        try delete(queueAt: .root, interface)
    }

    /// Takes the place of filters away, and with it all filters.
    package func deleteFilterPlace(on interface: InterfaceIndex) throws(NetlinkError) {
        try delete(queueAt: .clsact, interface)
    }

    private func delete(queueAt parent: QueueHandle, _ interface: InterfaceIndex) throws(NetlinkError) {
        let queue = rtnl_qdisc_alloc()
        defer { rtnl_qdisc_put(queue) }
        rtnl_tc_set_ifindex(queue, interface.rawValue)
        rtnl_tc_set_parent(queue, parent.rawValue)
        try request(
            "delete queue", "link \(interface)", accepting: [.noSuchFileOrDirectory, .invalidArgument, .noSuchDevice]
        ) {
            rtnl_qdisc_build_delete_request(queue, &$0)
        }
    }

    // MARK: Classes

    /// The classes of all queues of a device.
    package func classes(on interface: InterfaceIndex) throws(NetlinkError) -> [QueueHandle] {
        try list(
            "classes", fill: { rtnl_class_alloc_cache($0, interface.rawValue, &$1) },
            convert: { QueueHandle(rawValue: rtnl_tc_get_handle($0)) })
    }

    /// Makes a class, or changes it while packets go through it.
    package func replace(_ rate: RateClass, on interface: InterfaceIndex) throws(NetlinkError) {
        let object = rtnl_class_alloc()
        defer { rtnl_class_put(object) }
        rtnl_tc_set_ifindex(object, interface.rawValue)
        rtnl_tc_set_handle(object, rate.handle.rawValue)
        rtnl_tc_set_parent(object, rate.parent.rawValue)
        rtnl_tc_set_kind(object, "htb")
        rtnl_htb_set_prio(object, UInt32(rate.priority))
        rtnl_htb_set_rate64(object, rate.bytesPerSecond)
        rtnl_htb_set_ceil64(object, rate.ceilingBytesPerSecond)
        rtnl_htb_set_rbuffer(object, rate.burstBytes)
        rtnl_htb_set_cbuffer(object, rate.burstBytes)
        rtnl_htb_set_quantum(object, Self.quantumBytes)
        try request("add class", "\(rate.handle) of link \(interface)") {
            rtnl_class_build_add_request(object, NLM_F_CREATE | NLM_F_REPLACE, &$0)
        }
    }

    /// How much of what is left over one class takes before it is another's turn: more than a packet as sockets make them.
    private static let quantumBytes: UInt32 = 70_000

    /// Takes a class away, with what waits in it; one that is not there is no error.
    package func delete(class handle: QueueHandle, on interface: InterfaceIndex) throws(NetlinkError) {
        let object = rtnl_class_alloc()
        defer { rtnl_class_put(object) }
        rtnl_tc_set_ifindex(object, interface.rawValue)
        rtnl_tc_set_handle(object, handle.rawValue)
        try request(
            "delete class", "\(handle) of link \(interface)", accepting: [.noSuchFileOrDirectory, .noSuchDevice]
        ) {
            rtnl_class_build_delete_request(object, &$0)
        }
    }
}
