import Glibc
import SlimNetlink
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

@testable import SlimOverlay

/// Two containers of one host:
///
///     a1 -- slim0 [host a] -- a2
struct RoutedContainerTests {
    @Test func `packets between containers of one host go through the host's IP stack`() throws {
        let pair = try HostPair()
        try pair.establish()
        let (a1, a2) = (try TestNamespace(), try TestNamespace())
        let (from, to) = (HostPair.addresses(host: 1, container: 2), HostPair.addresses(host: 1, container: 3))
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: from)
        try pair.a.attach(namespace: a2.handle, container: "a2", addresses: to)
        for (family, target) in zip(["ipv4", "ipv6"], to) {
            #expect(try ping(target, from: a1))
            #expect(try ping(target, from: a1, dataBytes: 1400))
            #expect(try datagram(to: target, at: a2, from: a1, bytes: 40_000), "fragments")
            #expect(try stream(to: target, at: a2, from: a1, bytes: 4 << 20))
            // Without the host's stack, nothing gets from one to the other.
            try set("\(family)/\(family == "ipv4" ? "ip_forward" : "conf/all/forwarding")", "0", in: pair.hostA)
            #expect(try !ping(target, from: a1))
            try set("\(family)/\(family == "ipv4" ? "ip_forward" : "conf/all/forwarding")", "1", in: pair.hostA)
            #expect(try ping(target, from: a1))
        }
    }

    @Test func `no container is told of a way around the host`() throws {
        let pair = try HostPair()
        try pair.establish()
        let (a1, a2) = (try TestNamespace(), try TestNamespace())
        let to = HostPair.addresses(host: 1, container: 3)
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: HostPair.addresses(host: 1, container: 2))
        try pair.a.attach(namespace: a2.handle, container: "a2", addresses: to)
        for target in to {
            for _ in 0..<3 { #expect(try ping(target, from: a1)) }
        }
        // Both kinds in one table: IPv4's redirects are messages of type 5, IPv6's of type 137.
        #expect(try !statistics(of: a1).contains { $0.hasPrefix("Icmp6InRedirects") && !$0.hasSuffix("0") })
        #expect(try !statistics(of: pair.hostA).contains { $0.hasPrefix("IcmpMsg") && $0.contains("OutType5") })
        #expect(try !statistics(of: pair.hostA).contains { $0.hasPrefix("Icmp6OutType137") })
    }

    @Test func `a container that an earlier version attached is taken over`() throws {
        let pair = try HostPair()
        try pair.establish()
        let (a1, a2) = (try TestNamespace(), try TestNamespace())
        let (from, to) = (HostPair.addresses(host: 1, container: 2), HostPair.addresses(host: 1, container: 3))
        try pair.a.attach(namespace: a1.handle, container: "a1", addresses: from)
        try pair.a.attach(namespace: a2.handle, container: "a2", addresses: to)
        // As it was: neighbours on the link, found by asking.
        let host = try RouteSocket(in: pair.hostA.handle)
        let bridge = try host.index(of: "slim0")
        for known in try host.neighbours() where known.interface == bridge { try host.delete(known) }
        for (namespace, name, addresses) in [(a1, "a1", from), (a2, "a2", to)] {
            let port = try host.index(of: ContainerLink(container: name).name)
            try host.change(port: port, BridgePortSettings(isIsolated: false, isLearning: true, isFlooded: true))
            let inside = try RouteSocket(in: namespace.handle)
            let eth0 = try inside.index(of: "eth0")
            for present in try inside.addresses() where present.interface == eth0 && !present.isLinkLocal {
                try inside.delete(present)
            }
            for (address, length) in zip(addresses, [24, 64]) {
                try inside.replace(InterfaceAddress(interface: eth0, address: address, prefixLength: length))
            }
            for gateway in [address("10.32.1.1"), address("fd00:32:0:1::1")] {
                for route in try inside.routes() where route.interface == eth0 && route.origin == .slim {
                    if route.destination.address == gateway { try inside.delete(route) }
                }
                let any = try subnet(gateway.family == .v4 ? "0.0.0.0/0" : "::/0")
                try inside.replace(Route(destination: any, gateway: gateway, interface: eth0))
            }
        }
        #expect(try ping(to[0], from: a1))
        let successor = try pair.makeOverlay(host: 1)
        try successor.establish()
        try successor.attach(namespace: a1.handle, container: "a1", addresses: from)
        try successor.attach(namespace: a2.handle, container: "a2", addresses: to)
        let inside = try RouteSocket(in: a1.handle)
        let eth0 = try inside.index(of: "eth0")
        let present = try inside.addresses().filter { $0.interface == eth0 && !$0.isLinkLocal }
        #expect(Set(present.map(\.description)) == ["10.32.1.2/32", "fd00:32:0:1::2/128"])
        for target in to {
            #expect(try ping(target, from: a1))
            #expect(try ping(HostPair.addresses(host: 1, container: 2)[0], from: pair.hostA))
        }
        try set("ipv4/ip_forward", "0", in: pair.hostA)
        #expect(try !ping(to[0], from: a1))
    }
}

private func set(_ parameter: String, _ value: String, in namespace: TestNamespace) throws {
    try KernelParameters.set(parameter, to: value, in: namespace.handle)
}

/// What the kernel counts of ICMP and ICMPv6 in a namespace, by line.
private func statistics(of namespace: TestNamespace) throws -> [String] {
    try namespace.run {
        try ["/proc/thread-self/net/snmp", "/proc/thread-self/net/snmp6"].flatMap { path in
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            return try file.closeAfter {
                let text = try String(unsafeUninitializedCapacity: 32768) {
                    try file.read(into: UnsafeMutableRawBufferPointer($0))
                }
                return text.split(separator: "\n").map(String.init)
            }
        }
    }
}

/// Whether one datagram arrives whole.
private func datagram(
    to target: IPAddress, at receiver: TestNamespace, from sender: TestNamespace, bytes: Int
) throws -> Bool {
    let family = target.family == .v4 ? AF_INET : AF_INET6
    let server = try receiver.run {
        let server = OwnedDescriptor(try systemCall { socket(family, CInt(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0) })
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(server.raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        try systemCall { Endpoint(target, Port(9)).withSocketAddress { bind(server.raw, $0, $1) } }
        return server.release()
    }
    defer { close(server) }
    try sender.run {
        let client = OwnedDescriptor(try systemCall { socket(family, CInt(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0) })
        let data = [UInt8](repeating: 7, count: bytes)
        try systemCall {
            Endpoint(target, Port(9)).withSocketAddress { sendto(client.raw, data, data.count, 0, $0, $1) }
        }
    }
    var buffer = [UInt8](repeating: 0, count: 65536)
    return recv(server, &buffer, buffer.count, 0) == bytes
}

/// Whether a stream arrives whole.
private func stream(
    to target: IPAddress, at receiver: TestNamespace, from sender: TestNamespace, bytes: Int
) throws -> Bool {
    let family = target.family == .v4 ? AF_INET : AF_INET6
    let listener = try receiver.run {
        let listener = OwnedDescriptor(try systemCall { socket(family, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        try systemCall { Endpoint(target, Port(9)).withSocketAddress { bind(listener.raw, $0, $1) } }
        try systemCall { listen(listener.raw, 1) }
        return listener.release()
    }
    defer { close(listener) }
    let client = try sender.run {
        let client = OwnedDescriptor(try systemCall { socket(family, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        try systemCall { Endpoint(target, Port(9)).withSocketAddress { connect(client.raw, $0, $1) } }
        return client.release()
    }
    let server = try systemCall { accept(listener, nil, nil) }
    defer { close(server) }
    try startThread(named: "sender") {
        let chunk = [UInt8](repeating: 7, count: 64 << 10)
        var sent = 0
        while sent < bytes {
            let count = send(client, chunk, min(chunk.count, bytes - sent), CInt(MSG_NOSIGNAL))
            guard count > 0 else { break }
            sent += count
        }
        close(client)
    }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var received = 0
    while true {
        let count = recv(server, &buffer, buffer.count, 0)
        guard count > 0 else { return received == bytes }
        received += count
    }
}
