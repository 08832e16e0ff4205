internal import CMinimalNetlink
package import SlimSystem
internal import Synchronization
internal import SystemPackage

/// The TCP sockets of one network namespace: shows them, and ends them whoever holds them.
///
/// It acts in the namespace that it was opened in, whatever thread uses it. Wants `CAP_NET_ADMIN` to end sockets.
package final class SocketDiagnostics: Sendable {
    private let channel: Mutex<DiagnosticsChannel>

    /// Opens the socket in the calling thread's network namespace.
    package init() throws(NetlinkError) {
        do throws(Errno) {
            channel = Mutex(DiagnosticsChannel(try openNetlink(family: NETLINK_SOCK_DIAG)))
        } catch { throw NetlinkError(operation: "open", object: "socket diagnostics", errno: error) }
    }

    /// Opens the socket in a network namespace.
    package init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        do throws(Errno) {
            channel = Mutex(DiagnosticsChannel(try openNetlink(family: NETLINK_SOCK_DIAG, in: namespace)))
        } catch { throw NetlinkError(operation: "open", object: "socket diagnostics", errno: error) }
    }

    /// All TCP sockets in the given states, of both families.
    ///
    /// - Parameter withTraffic: also what the kernel counts of each.
    package func dump(states: TCPStates = .all, withTraffic: Bool = false) throws(NetlinkError) -> [SocketRecord] {
        var records: [SocketRecord] = []
        for family in [AF_INET, AF_INET6] {
            var request = inet_diag_req_v2()
            request.sdiag_family = UInt8(family)
            request.sdiag_protocol = UInt8(IPPROTO_TCP)
            request.idiag_states = states.rawValue
            if withTraffic { request.idiag_ext = 1 << UInt8(INET_DIAG_INFO - 1) }
            do throws(Errno) {
                records += try channel.withLock { (channel) throws(Errno) in try channel.dump(request) }
            } catch { throw NetlinkError(operation: "list", object: "TCP sockets", errno: error) }
        }
        return records
    }

    /// The sockets that carry something in a BPF map (`BPF_MAP_TYPE_SK_STORAGE`).
    ///
    /// - Parameter map: a descriptor of it, borrowed.
    package func tagged(in map: CInt) throws(NetlinkError) -> Set<SocketCookie> {
        var found: Set<SocketCookie> = []
        for family in [AF_INET, AF_INET6] {
            var request = inet_diag_req_v2()
            request.sdiag_family = UInt8(family)
            request.sdiag_protocol = UInt8(IPPROTO_TCP)
            request.idiag_states = TCPStates.all.rawValue
            do throws(Errno) {
                let records = try channel.withLock { (channel) throws(Errno) in try channel.dump(request, tags: map) }
                found.formUnion(records.map(\.cookie))
            } catch { throw NetlinkError(operation: "list", object: "tagged TCP sockets", errno: error) }
        }
        return found
    }

    /// Ends connections and listeners: their holders read `ECONNABORTED`, the other ends are reset.
    ///
    /// Sockets are named by cookie as well as by address: one that is gone is skipped, never mistaken for another.
    /// - Returns: how many were ended.
    /// - Throws: `EOPNOTSUPP` when the kernel was built without `CONFIG_INET_DIAG_DESTROY`, `EPERM` without the right;
    ///   after the whole list was tried.
    @discardableResult
    package func destroy(_ records: some Collection<SocketRecord>) throws(NetlinkError) -> Int {
        var rest = records[...]
        var destroyed = 0
        var refusal: Errno?
        while !rest.isEmpty {
            let batch = rest.prefix(DiagnosticsChannel.requestsInBatch)
            rest = rest.dropFirst(batch.count)
            do throws(Errno) {
                let requests = batch.map(\.request)
                let result = try channel.withLock { (channel) throws(Errno) in try channel.destroy(requests) }
                destroyed += result.destroyed
                refusal = refusal ?? result.refusal
            } catch { throw NetlinkError(operation: "destroy", object: "TCP sockets", errno: error) }
        }
        if let refusal { throw NetlinkError(operation: "destroy", object: "TCP sockets", errno: refusal) }
        return destroyed
    }
}
