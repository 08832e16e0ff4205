import Foundation
import SlimJSON
import SlimRegistry

@testable import SlimPolicy

/// The text of a policy: refused in one line, or taken, written and compiled; and every way to ask it says the same.
final class PolicyHarness: Harness {
    static let name = "policies"
    static let longest = 4096
    static let words =
        [
            "version", "rules", "isolate", "bandwidth", "qos", "defaultAction", "name", "action", "from", "to", "ports",
            "protocol", "tcp", "udp", "icmp", "any", "containers", "allow", "deny", "reject", "drop", "mode",
            "direction",
            "ingress", "egress", "both", "select", "labels", "container", "cidr", "except", "exists", "in", "notIn",
            "10.32.0.0/16", "fd00:32::/48", "priority", "dscp", "rate", "ceiling", "burst", "perConnection", "100mbit",
            "class", "interactive", "realtime", "bulk", "ef", "af41", "cs1", "description", "$schema", "256kib",
        ].map { "\"\($0)\"" } + [
            "true", "false", "null", "[1,2]", "{}", "[]", "\\u00e9", "\\ud83d\\ude00", "e+9", "\"9000-9010\"",
        ]

    private let containers = [
        PolicyContainer(
            name: "web", labels: ["tier": "web", "app": "shop"],
            addresses: [IPAddress(v4: (10, 32, 1, 2)), IPAddress(v6High: 0xfd00_0032_0000_0001, low: 2)]),
        PolicyContainer(name: "db", labels: ["tier": "db"], addresses: [IPAddress(v4: (10, 32, 2, 2))]),
        PolicyContainer(name: "admin", labels: [:], addresses: [IPAddress(v4: (10, 32, 2, 3))]),
    ]
    private let outside = [IPAddress(v4: (192, 0, 2, 1)), IPAddress(v6High: 0x2001_0db8_0000_0000, low: 1)]
    private let ports: [UInt16] = [0, 80, 443, 5432, 9005, .max]

    static func seeds() throws -> [[UInt8]] {
        let folder = "\(Project.root)/Policies"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        return try files.filter { $0.hasSuffix(".json") && $0 != "schema.json" }.sorted().map { file in
            let document = try PolicyDocument.load("\(folder)/\(file)")
            return Array(document.text.utf8)
        } + [Array(PolicyDocument.open.text.utf8)]
    }

    func run(_ input: UnsafeRawBufferPointer) throws {
        let document: PolicyDocument
        do throws(ConfigurationError) { document = try PolicyDocument.parse(Array(input), file: "p.json") } catch {
            let line = error.description
            return try require(!line.contains("\n") && line.utf8.count < 2000, "not a line: \(line)")
        }
        let text = document.text
        let again: PolicyDocument
        do throws(ConfigurationError) { again = try PolicyDocument.parse(Array(text.utf8), file: "p.json") } catch {
            throw Finding("its own text is refused: \(error): \(text)")
        }
        try require(again == document && again.text == text, "its own text says something else: \(text)")
        let policy = CompiledPolicy(document)
        try require(CompiledPolicy(again).generation == policy.generation, "another generation: \(text)")
        try compare(policy)
    }

    /// By classes, by endpoints, by resolved rules and by packet classes.
    private func compare(_ policy: CompiledPolicy) throws {
        let endpoints = containers.flatMap(\.endpoints) + outside.map { PolicyEndpoint(outside: $0) }
        let classes = endpoints.map { policy.identityClass(of: $0) }
        let packets = policy.packetClasses(containers)
        let ofPackets = endpoints.map { endpoint in
            packets.ranges.first { $0.first <= endpoint.address && endpoint.address <= $0.last }.map {
                packets.classes[$0.identity]
            }
        }
        for direction in PolicyDirection.allCases {
            let rules = policy.resolvedRules(direction, among: containers)
            let isolated = policy.isolatedAddresses(direction, among: containers)
            for (index, port) in ports.enumerated() {
                let transport = PolicyProtocol.allCases[index % PolicyProtocol.allCases.count]
                for from in endpoints.indices {
                    let to = (from + index) % endpoints.count
                    let verdict = policy.decide(
                        direction, from: classes[from], to: classes[to], port: Port(port), protocol: transport)
                    let plain = policy.decide(
                        direction, from: endpoints[from], to: endpoints[to], port: Port(port), protocol: transport)
                    try require(plain == verdict, "classes decide otherwise: \(policy.document.text)")
                    let deciding = rules.first { resolved in
                        let rule = policy.rules[resolved.rule]
                        return resolved.from.contains(endpoints[from].address)
                            && resolved.to.contains(endpoints[to].address)
                            && rule.protocols.contains(transport, withPorts: !rule.ports.isEmpty)
                            && (!transport.hasPorts || rule.ports.covers(Port(port)))
                    }
                    let subject = direction == .ingress ? endpoints[to].address : endpoints[from].address
                    let isolation = isolated.first { $0.addresses.contains(subject) }?.isolation
                    let cause: PolicyVerdict.Cause =
                        deciding.map { .rule($0.rule) } ?? isolation.map { .isolation($0) } ?? .defaultAction
                    try require(verdict.cause == cause, "resolved rules decide otherwise: \(policy.document.text)")
                    guard let one = ofPackets[from], let other = ofPackets[to] else {
                        throw Finding("an address without a class: \(policy.document.text)")
                    }
                    let parts = policy.packetVerdicts(direction, from: one, to: other, protocol: transport)
                    try require(
                        parts.first { $0.ports.contains(port) }?.verdict == verdict,
                        "packets are decided otherwise: \(policy.document.text)")
                    _ = policy.treatment(from: classes[from], to: classes[to], port: Port(port), protocol: transport)
                    _ = policy.name(of: verdict.cause)
                }
            }
        }
    }
}
