internal import CNetlinkRoute
internal import SystemPackage

/// Filters by program: which class a packet belongs to, or whether it makes a detour.
///
/// libnl-route knows neither these filters nor what they do with a packet: the messages are put together here.
extension RouteSocket {
    /// Has a program choose the class of what a queue is given: its answer is the class's handle, 0 chooses none.
    package func replaceFilter(
        on interface: InterfaceIndex, queue: QueueHandle, priority: UInt16, choosing program: PacketProgram
    ) throws(NetlinkError) {
        try replaceFilter(interface, queue, priority, program, detour: nil)
    }

    /// Has what a program answers all ones to make a detour by the queue of another device.
    package func replaceFilter(
        on interface: InterfaceIndex, at place: QueueHandle, priority: UInt16, detour: InterfaceIndex,
        for program: PacketProgram
    ) throws(NetlinkError) {
        try replaceFilter(interface, place, priority, program, detour: detour)
    }

    /// Takes the filters of a priority away. That there are none, or no place for them, is no error.
    package func deleteFilter(
        on interface: InterfaceIndex, at place: QueueHandle, priority: UInt16
    ) throws(NetlinkError) {
        try request(
            "delete filter", "link \(interface)",
            accepting: [.noSuchFileOrDirectory, .invalidArgument, .noSuchDevice]
        ) { message in
            message = Self.filterMessage(CInt(RTM_DELTFILTER), 0, interface, place, priority, handle: 0)
            return message == nil ? -NLE_NOMEM : 0
        }
    }

    /// The priorities of the filters at a place.
    package func filterPriorities(
        on interface: InterfaceIndex, at place: QueueHandle
    ) throws(NetlinkError) -> Set<UInt16> {
        // The kernel lists each priority, and then its filters.
        Set(
            try list(
                "filters", fill: { rtnl_cls_alloc_cache($0, interface.rawValue, place.rawValue, &$1) },
                convert: { rtnl_cls_get_prio($0) }))
    }

    private func replaceFilter(
        _ interface: InterfaceIndex, _ place: QueueHandle, _ priority: UInt16, _ program: PacketProgram,
        detour: InterfaceIndex?
    ) throws(NetlinkError) {
        try request("add filter", "link \(interface)") { message in
            message = Self.filterMessage(CInt(RTM_NEWTFILTER), NLM_F_CREATE, interface, place, priority, handle: 1)
            guard let message else { return -NLE_NOMEM }
            var operations = program.instructions.map {
                sock_filter(code: $0.code, jt: $0.jumps.holds, jf: $0.jumps.fails, k: $0.operand)
            }
            let size = operations.count * MemoryLayout<sock_filter>.size
            guard nla_put_string(message, CInt(TCA_KIND), "bpf") == 0,
                let options = nla_nest_start(message, CInt(TCA_OPTIONS) | NLA_F_NESTED)
            else { return -NLE_NOMEM }
            if let detour {
                guard Self.putDetour(detour, into: message) else { return -NLE_NOMEM }
                // What the answer "all ones" stands for.
                guard nla_put_u32(message, CInt(TCA_BPF_CLASSID), 0) == 0 else { return -NLE_NOMEM }
            }
            guard nla_put_u16(message, CInt(TCA_BPF_OPS_LEN), UInt16(clamping: operations.count)) == 0,
                nla_put(message, CInt(TCA_BPF_OPS), CInt(clamping: size), &operations) == 0
            else { return -NLE_NOMEM }
            return nla_nest_end(message, options)
        }
    }

    private static func putDetour(_ detour: InterfaceIndex, into message: OpaquePointer) -> Bool {
        var parameters = tc_mirred()
        parameters.action = TC_ACT_STOLEN
        parameters.eaction = TCA_EGRESS_REDIR
        parameters.ifindex = UInt32(detour.rawValue)
        guard let actions = nla_nest_start(message, CInt(TCA_BPF_ACT) | NLA_F_NESTED),
            let first = nla_nest_start(message, 1 | NLA_F_NESTED),
            nla_put_string(message, CInt(TCA_ACT_KIND), "mirred") == 0,
            let options = nla_nest_start(message, CInt(TCA_ACT_OPTIONS) | NLA_F_NESTED),
            nla_put(message, CInt(TCA_MIRRED_PARMS), CInt(MemoryLayout<tc_mirred>.size), &parameters) == 0
        else { return false }
        return nla_nest_end(message, options) == 0 && nla_nest_end(message, first) == 0
            && nla_nest_end(message, actions) == 0
    }

    private static func filterMessage(
        _ type: CInt, _ flags: CInt, _ interface: InterfaceIndex, _ place: QueueHandle, _ priority: UInt16,
        handle: UInt32
    ) -> OpaquePointer? {
        // A program can be longer than libnl's usual message.
        guard let message = nlmsg_alloc_size(1 << 16),
            nlmsg_put(message, UInt32(NL_AUTO_PORT), UInt32(NL_AUTO_SEQ), type, 0, flags) != nil
        else { return nil }
        var header = tcmsg()
        header.tcm_family = UInt8(AF_UNSPEC)
        header.tcm_ifindex = interface.rawValue
        header.tcm_handle = handle
        header.tcm_parent = place.rawValue
        header.tcm_info = UInt32(priority) << 16 | UInt32(UInt16(ETH_P_ALL).bigEndian)
        guard nlmsg_append(message, &header, MemoryLayout<tcmsg>.size, CInt(NLMSG_ALIGNTO)) == 0 else {
            nlmsg_free(message)
            return nil
        }
        return message
    }
}
