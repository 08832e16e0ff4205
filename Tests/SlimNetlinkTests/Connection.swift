import Glibc
import SlimRegistry
import SlimSystem
import SystemPackage

/// A real TCP connection over the loopback interface of a namespace, and its listener.
final class Connection: Sendable {
    let listener: CInt
    let client: CInt
    let server: CInt

    init(in namespace: TestNamespace, to endpoint: Endpoint, usesIPv6Sockets: Bool = false) throws {
        (listener, client, server) = try namespace.run {
            let isMapped = usesIPv6Sockets && endpoint.address.family == .v4
            let family = endpoint.address.family == .v4 && !isMapped ? AF_INET : AF_INET6
            let type = CInt(SOCK_STREAM.rawValue) | O_CLOEXEC
            let listener = try systemCall { socket(family, type, 0) }
            try systemCall { endpoint.withSocketAddress(isMapped: isMapped) { bind(listener, $0, $1) } }
            try systemCall { listen(listener, 16) }
            let client = try systemCall { socket(family, type, 0) }
            try systemCall { endpoint.withSocketAddress(isMapped: isMapped) { connect(client, $0, $1) } }
            return (listener, client, try systemCall { accept(listener, nil, nil) })
        }
    }

    deinit { for descriptor in [client, server, listener] { close(descriptor) } }
}

/// The identity of a socket, from its descriptor.
func cookie(of socket: CInt) throws -> SocketCookie {
    var cookie: UInt64 = 0
    var length = socklen_t(MemoryLayout<UInt64>.size)
    let soCookie: CInt = 57
    try systemCall { getsockopt(socket, SOL_SOCKET, soCookie, &cookie, &length) }
    return SocketCookie(rawValue: cookie)
}
