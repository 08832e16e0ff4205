import Glibc
import SlimPolicy
import SlimRegistry
import SlimSystem
import SystemPackage

/// Somebody who sends and receives packets: a namespace with listeners on some ports.
final class PacketProbe: Sendable {
    let name: String
    let namespace: TestNamespace
    let addresses: [IPAddress]
    let ports: [UInt16]
    /// TCP listeners, UDP sockets by address and port; closed at the end.
    private let listeners: [Endpoint: CInt]
    private let datagrams: [Endpoint: CInt]

    init(_ name: String, _ namespace: TestNamespace, _ addresses: [IPAddress], ports: [UInt16]) throws {
        self.name = name
        self.namespace = namespace
        self.addresses = addresses
        self.ports = ports
        let endpoints = addresses.flatMap { address in ports.map { Endpoint(address, Port($0)) } }
        (listeners, datagrams) = try namespace.run {
            var (listeners, datagrams): ([Endpoint: CInt], [Endpoint: CInt]) = ([:], [:])
            for endpoint in endpoints {
                let listener = try nonBlocking(endpoint.address, SOCK_STREAM)
                try systemCall { endpoint.withSocketAddress { bind(listener, $0, $1) } }
                try systemCall { listen(listener, 1024) }
                listeners[endpoint] = listener
                let datagram = try nonBlocking(endpoint.address, SOCK_DGRAM)
                try systemCall { endpoint.withSocketAddress { bind(datagram, $0, $1) } }
                datagrams[endpoint] = datagram
            }
            return (listeners, datagrams)
        }
    }

    deinit { for socket in [CInt](listeners.values) + datagrams.values { close(socket) } }

    /// The texts that have come to a UDP port since the last time.
    func received(at endpoint: Endpoint) -> [String] {
        guard let socket = datagrams[endpoint] else { return [] }
        var texts: [String] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count >= 0 else { return texts }
            texts.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }

    /// Accepts and closes what has connected.
    func clear() {
        for listener in listeners.values {
            while case let connection = accept(listener, nil, nil), connection >= 0 { close(connection) }
        }
        for endpoint in datagrams.keys { _ = received(at: endpoint) }
    }

    /// Accepts one connection; waits for it.
    func accepted(at endpoint: Endpoint) throws -> CInt {
        guard let listener = listeners[endpoint] else { throw Errno.invalidArgument }
        var connection: CInt = -1
        _ = eventually {
            connection = accept(listener, nil, nil)
            return connection >= 0
        }
        guard connection >= 0 else { throw Errno.timedOut }
        return connection
    }

    /// Begins something and does not wait for the outcome.
    func begin(_ transport: PolicyProtocol, from source: IPAddress, to endpoint: Endpoint, text: String) throws
        -> Attempt
    {
        let socket = try namespace.run {
            let isV4 = source.family == .v4
            let socket: CInt
            switch transport {
            case .tcp: socket = try nonBlocking(source, SOCK_STREAM)
            case .udp: socket = try nonBlocking(source, SOCK_DGRAM)
            case .icmp, .other:
                socket = try systemCall {
                    Glibc.socket(
                        isV4 ? AF_INET : AF_INET6,
                        CInt(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue),
                        isV4 ? CInt(IPPROTO_ICMP) : 58)
                }
            }
            try systemCall { Endpoint(source, Port(0)).withSocketAddress { bind(socket, $0, $1) } }
            let target = transport.hasPorts ? endpoint : Endpoint(endpoint.address, Port(0))
            let code = target.withSocketAddress { connect(socket, $0, $1) }
            if code != 0, errno != EINPROGRESS, transport != .tcp {
                close(socket)
                throw Errno(rawValue: errno)
            }
            return socket
        }
        let attempt = Attempt(transport: transport, family: source.family, socket: socket, text: text)
        attempt.send()
        return attempt
    }
}

/// A connection that is being made, a datagram or an echo request that is under way.
struct Attempt {
    let transport: PolicyProtocol
    let family: IPAddress.Family
    let socket: CInt
    let text: String

    func send() {
        switch transport {
        case .tcp: break
        case .udp: _ = Glibc.send(socket, text, text.utf8.count, 0)
        case .icmp, .other:
            let message = echoRequest(family, text)
            _ = Glibc.send(socket, message, message.count, 0)
        }
    }

    /// `nil`: nothing yet; zero: connected; otherwise why not.
    var connection: CInt? {
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard poll(&descriptor, 1, 0) == 1 else { return nil }
        var error: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length)
        return error
    }

    /// Whether the echo has come.
    var isAnswered: Bool {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            let body = buffer[(family == .v4 ? 20 : 0)..<count]
            let isReply = body.first == (family == .v4 ? 0 : 129)
            if isReply, body.dropFirst(8).elementsEqual(text.utf8) { return true }
        }
    }

    func end() { close(socket) }
}

func nonBlocking(_ address: IPAddress, _ type: __socket_type) throws -> CInt {
    try systemCall {
        Glibc.socket(
            address.family == .v4 ? AF_INET : AF_INET6,
            CInt(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
}

private func echoRequest(_ family: IPAddress.Family, _ text: String) -> [UInt8] {
    let identifier = fnv(text)
    let header: [UInt8] = [
        family == .v4 ? 8 : 128, 0, 0, 0, UInt8(identifier >> 8 & 255), UInt8(identifier & 255), 0, 1,
    ]
    return family == .v4 ? withChecksum(header + text.utf8) : header + text.utf8
}

private func fnv(_ text: String) -> UInt32 { text.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 } }
