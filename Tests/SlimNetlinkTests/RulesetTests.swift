import SlimJSON
import SlimNetlink
import SlimPolicy
import SlimRegistry
import Testing

@testable import SlimOverlay
@testable import SlimPacketFilter

struct RulesetTests {
    @Test func `a policy is written as maps and chains, each of which is there once`() throws {
        let rules = try packetRules(
            #"""
            "rules": [
              {"name": "web", "action": "deny", "from": {"labels": {"app": "web"}}, "to": {"labels": {"app": "db"}},
               "protocol": "tcp", "ports": [80, "90-99"]},
              {"name": "net", "action": "deny", "from": {"container": "a"},
               "to": {"cidr": "198.51.100.0/24", "except": ["198.51.100.128/25"]}, "mode": "drop"}
            ]
            """#,
            containers: [("a", ["app": "web"], [2]), ("b", ["app": "web"], [3])], others: [("c", ["app": "db"], 2, [2])]
        )
        let text = Ruleset(rules).text
        let golden = """
            add table bridge slim
            delete table bridge slim
            add table inet slim
            delete table inet slim
            table bridge slim {
              set ports {
                type ifname
                elements = { "sl2o0ongoiv4rrg", "sl2o0oomrulmxt1" }
              }
              set macs {
                type ifname . ether_addr
                elements = { "sl2o0ongoiv4rrg" . 02:32:0a:20:01:02, "sl2o0oomrulmxt1" . 02:32:0a:20:01:03 }
              }
              set sources4 {
                type ifname . ether_addr . ipv4_addr
                elements = { "sl2o0ongoiv4rrg" . 02:32:0a:20:01:02 . 10.32.1.2, "sl2o0oomrulmxt1" . 02:32:0a:20:01:03 . 10.32.1.3 }
              }
              set sources6 {
                type ifname . ether_addr . ipv6_addr
                elements = { "sl2o0ongoiv4rrg" . 02:32:0a:20:01:02 . fd00:32:0:1::2, "sl2o0oomrulmxt1" . 02:32:0a:20:01:03 . fd00:32:0:1::3 }
              }
              set claims {
                typeof iifname . @th,64,128
                elements = { "sl2o0ongoiv4rrg" . 0xfd000032000000010000000000000002, "sl2o0oomrulmxt1" . 0xfd000032000000010000000000000003 }
              }
              chain arriving {
                type filter hook prerouting priority dstnat; policy accept;
                iifname @ports goto sent
              }
              chain sent {
                iifname . ether saddr . ip saddr @sources4 accept
                icmpv6 type nd-neighbor-advert @th,64,10 != 0x3fa iifname . @th,64,128 != @claims drop
                iifname . ether saddr . ip6 saddr @sources6 accept
                iifname . ether saddr != @macs drop
                ether type arp iifname . arp saddr ether . arp saddr ip @sources4 accept
                ether type arp arp operation request arp saddr ip 0.0.0.0 accept
                ip6 saddr { ::, fe80::/10 } icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld-listener-done, mld2-listener-report } accept
                drop
              }
            }
            table inet slim {
              map egress_tcp4 {
                type ipv4_addr : verdict
                elements = { 10.32.1.2 : goto from0, 10.32.1.3 : goto from1 }
              }
              map egress_tcp6 {
                type ipv6_addr : verdict
                elements = { fd00:32:0:1::2 : goto from2, fd00:32:0:1::3 : goto from2 }
              }
              map egress_udp4 {
                type ipv4_addr : verdict
                elements = { 10.32.1.2 : goto from3 }
              }
              map egress_icmp4 {
                type ipv4_addr : verdict
                elements = { 10.32.1.2 : goto from4 }
              }
              map egress_other4 {
                type ipv4_addr : verdict
                elements = { 10.32.1.2 : goto from5 }
              }
              chain ports0 {
                meta l4proto tcp ct reply proto-src 80 goto refuse
                meta l4proto tcp ct reply proto-src 90-99 goto refuse
                meta l4proto icmp return
                meta l4proto icmpv6 return
                return
              }
              chain from0 {
                ct reply ip saddr vmap { 10.32.2.2 : goto ports0, 198.51.100.0-198.51.100.127 : drop }
                return
              }
              chain from1 {
                ct reply ip saddr vmap { 10.32.2.2 : goto ports0 }
                return
              }
              chain from2 {
                ct reply ip6 saddr vmap { fd00:32:0:2::2 : goto ports0 }
                return
              }
              chain from3 {
                ct reply ip saddr vmap { 198.51.100.0-198.51.100.127 : drop }
                return
              }
              chain from4 {
                ct reply ip saddr vmap { 198.51.100.0-198.51.100.127 : drop }
                return
              }
              chain from5 {
                ct reply ip saddr vmap { 198.51.100.0-198.51.100.127 : drop }
                return
              }
              chain egress_tcp {
                ct original ip saddr vmap @egress_tcp4
                ct original ip6 saddr vmap @egress_tcp6
              }
              chain egress_udp {
                ct original ip saddr vmap @egress_udp4
              }
              chain egress_icmp {
                ct original ip saddr vmap @egress_icmp4
              }
              chain egress_other {
                ct original ip saddr vmap @egress_other4
              }
              chain egress {
                ct original protocol vmap { tcp : goto egress_tcp, udp : goto egress_udp, icmp : goto egress_icmp, icmpv6 : goto egress_icmp }
                goto egress_other
              }
              chain ingress {
                ct original protocol vmap { tcp : return, udp : return, icmp : return, icmpv6 : return }
                return
              }
              chain refuse {
                meta l4proto tcp reject with tcp reset
                reject with icmpx admin-prohibited
              }
              chain orphans {
                icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld-listener-done, mld2-listener-report } accept
                drop
              }
              chain midway {
                tcp flags & (fin | syn | rst | ack) != syn tcp sport < 32768 tcp dport >= 32768 drop
              }
              chain passing {
                ct state invalid,untracked goto orphans
                ct state new meta l4proto tcp jump midway
                jump egress
                goto ingress
              }
              chain addressed {
                ct state invalid,untracked goto orphans
                ct state new meta l4proto tcp jump midway
                goto egress
              }
              chain forward {
                type filter hook forward priority filter; policy accept;
                iifname "slim0" goto passing
                oifname "slim0" goto passing
              }
              chain input {
                type filter hook input priority filter; policy accept;
                iifname "slim0" goto addressed
              }
              chain tunnel_in {
                type filter hook prerouting priority raw; policy accept;
                ip daddr 192.0.2.1 udp dport 4789 iifname != "slim0" notrack
              }
              chain tunnel_out {
                type filter hook output priority raw; policy accept;
                ip saddr 192.0.2.1 udp dport 4789 notrack
              }
            }

            """
        #expect(text == golden.replacing("  ", with: "\t"))
    }

    @Test func `without anything to deny nothing is tracked`() throws {
        let rules = try packetRules("", containers: [("a", [:], [2])], others: [("b", [:], 2, [2])])
        let text = Ruleset(rules).text
        #expect(!text.contains("ct "))
        #expect(!text.contains("table inet slim {"))
    }
}

/// Rules for the first host of a ``HostPair``.
///
/// - Parameters:
///   - members: of the policy's JSON.
///   - containers: name, labels, numbers of addresses; others with the number of the host.
func packetRules(
    _ members: String, containers: [(String, [String: String], [Int])],
    others: [(String, [String: String], Int, [Int])] = []
) throws -> PacketRules {
    let comma = members.isEmpty ? "" : ", "
    let document = try PolicyDocument.parse(Array("{\"version\": 1\(comma)\(members)}".utf8), file: "policy.json")
    return packetRules(CompiledPolicy(document), containers: containers, others: others)
}

func packetRules(
    _ policy: CompiledPolicy, host: Int = 1, containers: [(String, [String: String], [Int])],
    others: [(String, [String: String], Int, [Int])] = []
) -> PacketRules {
    PacketRules(
        policy: policy,
        containers: containers.compactMap { name, labels, numbers in
            let addresses = numbers.flatMap { HostPair.addresses(host: host, container: $0) }
            guard let port = ContainerPort(container: name, addresses: addresses) else { return nil }
            return LocalContainer(
                PolicyContainer(name: name, labels: labels, addresses: addresses), port: port.interface, mac: port.mac)
        },
        others: others.map { name, labels, host, numbers in
            PolicyContainer(
                name: name, labels: labels, addresses: numbers.flatMap { HostPair.addresses(host: host, container: $0) }
            )
        },
        bridge: "slim0", tunnel: Endpoint(address("192.0.2.\(host)"), Port(4789)))
}
