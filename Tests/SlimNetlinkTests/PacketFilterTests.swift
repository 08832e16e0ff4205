import Glibc
import SlimJSON
import SlimNetlink
import SlimOverlay
import SlimPolicy
import SlimRegistry
import SlimSystem
import SystemPackage
import Testing

@testable import SlimPacketFilter

/// Two hosts with packet filters, two containers on the first, one on the second:
///
///     a1, a2 -- [host a, filter] ==== [host b, filter] -- b1
struct PacketFilterTests {
    @Test func `what happens to packets is what the policy decides`() throws {
        let net = try FilteredPair(ports: [80, 81, 90])
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &random)
        var numbers = SplitMix(state: seed)
        for round in 0..<20 {
            let policy = RandomPolicy.make(&numbers)
            try net.apply(CompiledPolicy(policy))
            let wrong = try net.mismatches(with: CompiledPolicy(policy))
            #expect(wrong.isEmpty, "seed \(seed), round \(round), policy \(policy): \(wrong.prefix(3))")
            if !wrong.isEmpty { return }
        }
    }

    @Test func `a changed policy cuts established flows, and leaves the others alone`() throws {
        let net = try FilteredPair(ports: [80, 81])
        try net.apply(try policy(#"{"name": "n", "action": "deny", "from": "any", "to": "any", "ports": [9]}"#))
        for index in 0...1 {
            for target in [net.a2, net.b1] {
                let cut = try net.stream(from: net.a1, to: target, index, port: 80)
                let kept = try net.stream(from: net.a1, to: target, index, port: 81)
                let other = try net.stream(from: target, to: net.a1, index, port: 80)
                defer { for stream in [cut, kept, other] { stream.end() } }
                for stream in [cut, kept, other] { #expect(stream.echoes(100)) }
                try net.apply(
                    try policy(
                        #"{"name": "n", "action": "deny", "from": {"container": "a1"}, "to": "any", "ports": [80]}"#))
                for stream in [kept, other] { #expect(stream.echoes(100)) }
                #expect(!cut.echoes(1))
                #expect(cut.clientError == ECONNRESET)
                for stream in [kept, other] { #expect(stream.echoes(100)) }
                try net.apply(try policy(#"{"name": "n", "action": "deny", "from": "any", "to": "any", "ports": [9]}"#))
            }
        }
    }

    @Test func `a connection from before the first policy is judged by who began it, whoever speaks first`() throws {
        let net = try FilteredPair(ports: [80, 81])
        try net.apply(CompiledPolicy(.open))
        for index in 0...1 {
            let cut = try net.stream(from: net.a1, to: net.b1, index, port: 80)
            let kept = try net.stream(from: net.a1, to: net.b1, index, port: 81)
            defer { for stream in [cut, kept] { stream.end() } }
            for stream in [cut, kept] { #expect(stream.echoes(10)) }
            // Everything but port 81 is denied, above all what servers seem to begin.
            try net.apply(
                try policy(
                    #"{"name": "y", "action": "allow", "from": {"container": "a1"}, "to": "any", "ports": [81]}"#,
                    defaults: #"{"ingress": "deny", "egress": "deny"}"#))
            for stream in [cut, kept] { stream.push("from the server") }
            #expect(kept.echoes(10, after: "from the server"))
            #expect(!cut.echoes(1, after: "from the server"))
            #expect(cut.clientError == ECONNRESET)
            try net.filterA.remove()
            try net.filterB.remove()
        }
    }

    @Test func `a policy that is laid down again or taken away disturbs nothing`() throws {
        let net = try FilteredPair(ports: [80])
        let denying = try policy(#"{"name": "n", "action": "deny", "from": "any", "to": "any", "ports": [9]}"#)
        try net.apply(denying)
        let stream = try net.stream(from: net.a1, to: net.b1, 0, port: 80)
        defer { stream.end() }
        for _ in 0..<3 {
            try net.apply(denying)
            // Another router does not know what holds.
            let successor = try net.pair.hostA.run { try PacketFilter() }
            try successor.apply(net.rulesA(denying))
            #expect(stream.echoes(50))
        }
        #expect(net.filterA.isPresent())
        for _ in 0..<2 { try net.filterA.remove() }
        #expect(!net.filterA.isPresent())
        #expect(stream.echoes(50))
        // Somebody else's rules went with ours: they are laid down again although nothing changed.
        try net.filterA.apply(net.rulesA(denying))
        #expect(net.filterA.isPresent())
    }

    @Test func `a container cannot send from an address that is not its own`() throws {
        let net = try FilteredPair(ports: [80])
        try net.apply(CompiledPolicy(.open))
        for index in 0...1 {
            let own = net.a1.addresses[index]
            let target = Endpoint(net.b1.addresses[index], Port(80))
            let neighbour = net.a2.addresses[index]
            for source in [
                own, neighbour, net.b1.addresses[index], index == 0 ? address("10.32.1.1") : address("fd00:32:0:1::1"),
            ] {
                try net.a1.namespace.run { try sendRaw("from \(source)", from: source, to: target) }
            }
            var arrived: [String] = []
            #expect(
                eventually {
                    arrived += net.b1.received(at: target)
                    return arrived.contains("from \(own)")
                })
            // What was sent before has arrived, or never will.
            usleep(100_000)
            arrived += net.b1.received(at: target)
            #expect(arrived == ["from \(own)"])
        }
        #expect(try ping(net.a2.addresses[0], from: net.a1.namespace))
        #expect(try ping(net.b1.addresses[1], from: net.a1.namespace))
        // The gateway is found anew, by ARP and by neighbour solicitation.
        let inside = try RouteSocket(in: net.a1.namespace.handle)
        let eth0 = try inside.index(of: "eth0")
        try inside.change(eth0, LinkChanges(isUp: false))
        try net.pair.a.attach(namespace: net.a1.namespace.handle, container: "a1", addresses: net.a1.addresses)
        #expect(try ping(net.a2.addresses[0], from: net.a1.namespace))
        #expect(try ping(net.a2.addresses[1], from: net.a1.namespace))
    }

    @Test func `a container that gives itself another address is not found there, by ARP or neighbour discovery`()
        throws
    {
        let net = try FilteredPair(ports: [])
        try net.apply(CompiledPolicy(.open))
        let inside = try RouteSocket(in: net.a1.namespace.handle)
        let eth0 = try inside.index(of: "eth0")
        for claimed in [address("10.32.1.77"), address("fd00:32:0:1::77")] {
            try inside.replace(
                InterfaceAddress(interface: eth0, address: claimed, prefixLength: claimed.bitWidth))
            #expect(try !ping(claimed, from: net.pair.hostA))
            try net.filterA.remove()
            #expect(
                eventually { (try? ping(claimed, from: net.pair.hostA)) == true }, "nothing but the filter forbids it")
            try net.apply(CompiledPolicy(.open))
        }
    }

    private func policy(
        _ rules: String, defaults: String = #"{"ingress": "allow", "egress": "allow"}"#
    ) throws -> CompiledPolicy {
        CompiledPolicy(
            try PolicyDocument.parse(
                Array("{\"version\": 1, \"defaultAction\": \(defaults), \"rules\": [\(rules)]}".utf8),
                file: "policy.json"))
    }
}

/// Sends a UDP packet with any source address.
private func sendRaw(_ text: String, from source: IPAddress, to target: Endpoint) throws {
    let isV4 = source.family == .v4
    let length = UInt16(8 + text.utf8.count)
    let ports: [UInt8] = [0x30, 0x39, UInt8(target.port.rawValue >> 8), UInt8(target.port.rawValue & 255)]
    let udp: [UInt8] = ports + [UInt8(length >> 8), UInt8(length & 255), 0, 0] + text.utf8
    let total = length + 20
    let ends = source.bytes + target.address.bytes
    var packet: [UInt8]
    if isV4 {
        packet = [0x45, 0, UInt8(total >> 8), UInt8(total & 255), 0, 0, 0, 0, 64, 17, 0, 0] + ends + udp
    } else {
        // The checksum is no choice in IPv6: over the addresses, the length, the protocol and the datagram.
        let pseudo: [UInt8] = ends + [0, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 17] + udp
        let sum = checksum(pseudo)
        var udp = udp
        (udp[6], udp[7]) = (UInt8(sum >> 8), UInt8(sum & 255))
        packet = [0x60, 0, 0, 0, UInt8(length >> 8), UInt8(length & 255), 17, 64] + ends + udp
    }
    let socket = OwnedDescriptor(
        try systemCall {
            Glibc.socket(isV4 ? AF_INET : AF_INET6, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), CInt(IPPROTO_RAW))
        })
    try systemCall {
        Endpoint(target.address, Port(0)).withSocketAddress { sendto(socket.raw, packet, packet.count, 0, $0, $1) }
    }
}
