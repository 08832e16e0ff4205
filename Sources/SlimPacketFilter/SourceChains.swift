internal import SlimPolicy
internal import SlimRegistry

/// What a container may send at all, whatever the policy: packets from its own addresses only. Without connection tracking.
struct SourceChains {
    let lines: [String]

    init(_ containers: [LocalContainer]) {
        let containers = containers.sorted { $0.port < $1.port }
        func own(_ family: IPAddress.Family) -> [String] {
            containers.flatMap { container in
                container.container.addresses.filter { $0.family == family }.map {
                    "\"\(container.port)\" . \(container.mac) . \($0)"
                }
            }
        }
        let targets = containers.flatMap { container in
            container.container.addresses.filter { $0.family == .v6 }.map {
                "\"\(container.port)\" . 0x\(Self.hex($0))"
            }
        }
        lines =
            block("set ports", ["type ifname"] + elements(containers.map { "\"\($0.port)\"" }))
            + block(
                "set macs",
                ["type ifname . ether_addr"] + elements(containers.map { "\"\($0.port)\" . \($0.mac)" }))
            + block("set sources4", ["type ifname . ether_addr . ipv4_addr"] + elements(own(.v4)))
            + block("set sources6", ["type ifname . ether_addr . ipv6_addr"] + elements(own(.v6)))
            // libnftables 1.0.6 has no name for the address that a neighbour advertisement is about.
            + block("set claims", ["typeof iifname . @th,64,128"] + elements(targets))
            + block(
                "chain \(Ruleset.firstChain)",
                ["type filter hook prerouting priority dstnat; policy accept;", "iifname @ports goto sent"])
            + block("chain sent", Self.sent)
    }

    /// What passes, what is most often first; then nothing.
    private static let sent = [
        "iifname . ether saddr . ip saddr @sources4 accept",
        // Whoever claims an address that is not its own: link-local ones nobody else uses.
        "icmpv6 type nd-neighbor-advert @th,64,10 != 0x3fa iifname . @th,64,128 != @claims drop",
        "iifname . ether saddr . ip6 saddr @sources6 accept",
        "iifname . ether saddr != @macs drop",
        "ether type arp iifname . arp saddr ether . arp saddr ip @sources4 accept",
        // Asking whether an address is free.
        "ether type arp arp operation request arp saddr ip 0.0.0.0 accept",
        "ip6 saddr { ::, fe80::/10 } icmpv6 type { \(neighbourTypes) } accept",
        "drop",
    ]

    /// ICMPv6 between neighbours, which has no connection and is never judged: what finds neighbours, and what tells the
    /// groups that somebody listens to. Not what routers say: no container is one.
    static let neighbourTypes =
        "nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, "
        + "mld-listener-report, mld-listener-done, mld2-listener-report"

    private static func hex(_ address: IPAddress) -> String {
        address.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
