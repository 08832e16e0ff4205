internal import CNetlinkRoute
internal import SlimSystem
internal import SystemPackage

/// Opens a netlink socket in the calling thread's network namespace, bound to a port that the kernel chooses.
///
/// The corresponding C functions are `socket` and `bind` with `AF_NETLINK`.
func openNetlink(family: CInt, isNonBlocking: Bool = false) throws(Errno) -> OwnedDescriptor {
    let type =
        CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | (isNonBlocking ? CInt(SOCK_NONBLOCK.rawValue) : 0)
    let descriptor = OwnedDescriptor(try systemCall { socket(AF_NETLINK, type, family) })
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    try systemCall {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor.raw, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
    }
    return descriptor
}

/// Opens a netlink socket in another network namespace: it stays there, whoever uses it.
func openNetlink(
    family: CInt, in namespace: borrowing NetworkNamespace, isNonBlocking: Bool = false
) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(
        try namespace.run { () throws(Errno) in
            try openNetlink(family: family, isNonBlocking: isNonBlocking).release()
        })
}
