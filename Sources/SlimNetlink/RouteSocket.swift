internal import CNetlinkRoute
package import SlimSystem
internal import Synchronization
internal import SystemPackage

/// A connection to the kernel's routing layer: links, addresses, routes, neighbours of one network namespace.
///
/// It acts in the namespace that it was opened in, whatever thread uses it; requests are served one after the other.
/// Every request blocks until the kernel has answered, which takes microseconds.
package final class RouteSocket: Sendable {
    private let channel: Mutex<RouteChannel>

    /// Opens the socket in the calling thread's network namespace.
    package convenience init() throws(NetlinkError) {
        try self.init { () throws(Errno) in try openNetlink(family: NETLINK_ROUTE) }
    }

    /// Opens the socket in a network namespace.
    package convenience init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        try self.init { () throws(Errno) in try openNetlink(family: NETLINK_ROUTE, in: namespace) }
    }

    private init(_ open: () throws(Errno) -> OwnedDescriptor) throws(NetlinkError) {
        do throws(Errno) {
            channel = Mutex(try RouteChannel(try open()))
        } catch { throw NetlinkError(operation: "open", object: "netlink socket", errno: error) }
    }

    /// Builds one message with a libnl function and sends it.
    ///
    /// - Parameter gone: the refusals that mean that there was nothing to do.
    func request(
        _ operation: String, _ object: @autoclosure () -> String, accepting gone: [Errno] = [],
        _ build: (inout OpaquePointer?) -> CInt
    ) throws(NetlinkError) {
        var message: OpaquePointer?
        defer { nlmsg_free(message) }
        let code = build(&message)
        guard code == 0, let message else {
            throw NetlinkError(operation: operation, object: object(), errno: .invalidArgument)
        }
        do throws(Errno) {
            try channel.withLock { (channel) throws(Errno) in try channel.send(message) }
        } catch  where gone.contains(error) {
            return
        } catch { throw NetlinkError(operation: operation, object: object(), errno: error) }
    }

    /// Runs libnl functions that ask for something.
    func query<Value: Sendable>(
        _ operation: String, _ object: @autoclosure () -> String,
        _ body: (borrowing RouteChannel) throws(Errno) -> Value
    ) throws(NetlinkError) -> Value {
        do throws(Errno) {
            return try channel.withLock { (channel) throws(Errno) in try body(channel) }
        } catch { throw NetlinkError(operation: operation, object: object(), errno: error) }
    }

    /// Fetches all objects of one sort and converts those that mean something here.
    func list<Value: Sendable>(
        _ what: String, fill: (OpaquePointer, inout OpaquePointer?) -> CInt, convert: (OpaquePointer) -> Value?
    ) throws(NetlinkError) -> [Value] {
        try query("list", what) { (channel) throws(Errno) in
            var cache: OpaquePointer?
            defer { if let cache { nl_cache_free(cache) } }
            try channel.check { fill($0, &cache) }
            var values: [Value] = []
            guard let cache else { return values }
            var next = nl_cache_get_first(cache)
            while let object = next {
                if let value = convert(object) { values.append(value) }
                next = nl_cache_get_next(object)
            }
            return values
        }
    }
}
