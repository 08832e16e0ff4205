import SlimJSON
import SlimRegistry
import Testing

@testable import SlimPolicy

/// The compiled policy against the naive interpreter of the same text.
@Suite struct PropertyTests {
    private static func parse(_ text: String) throws -> PolicyDocument {
        try PolicyDocument.parse(Array(text.utf8), file: "random")
    }

    private static func describe(_ verdict: PolicyVerdict, _ policy: CompiledPolicy) -> String {
        let action =
            switch verdict.action {
            case .allow: "allow"
            case .deny(let mode): mode.rawValue
            }
        return "\(action): \(policy.name(of: verdict.cause))"
    }

    @Test(arguments: 1...8) func `every decision is the one that the text says`(seed: UInt64) throws {
        var random = RandomPolicy(random: SeededGenerator(seed: seed))
        var seen: Set<String> = []
        for _ in 0..<40 {
            let text = random.text()
            let naive = try NaivePolicy(text)
            let policy = CompiledPolicy(try Self.parse(text))
            let endpoints = (0..<8).map { _ in random.endpoint() }
            let classes = endpoints.map { policy.identityClass(of: $0) }
            for _ in 0..<30 {
                let (from, to) = (
                    Int.random(in: 0..<8, using: &random.random), Int.random(in: 0..<8, using: &random.random)
                )
                let (port, transport) = (random.port(), random.transport())
                for direction in PolicyDirection.allCases {
                    let expected = naive.decide(
                        direction.rawValue, from: endpoints[from], to: endpoints[to], port: Int(port),
                        protocol: "\(transport)")
                    let verdict = policy.decide(
                        direction, from: classes[from], to: classes[to], port: Port(port), protocol: transport)
                    seen.insert(String(expected.prefix(while: { $0 != "n" })))
                    guard Self.describe(verdict, policy) == expected else {
                        Issue.record(
                            "\(direction) \(endpoints[from]) -> \(endpoints[to]) \(port) \(transport): \(Self.describe(verdict, policy)), not \(expected), by \(text)"
                        )
                        return
                    }
                }
                let treatment = policy.treatment(
                    from: classes[from], to: classes[to], port: Port(port), protocol: transport)
                let expected = naive.treatment(
                    from: endpoints[from], to: endpoints[to], port: Int(port), protocol: "\(transport)")
                #expect(treatment.priority.map { Int($0.rawValue) } == expected.priority, "\(text)")
                #expect(treatment.dscp.map { Int($0.rawValue) } == expected.dscp, "\(text)")
                let rate = classes[from].limits.egress.map { Int($0.rate.bitsPerSecond / 1_000_000) }
                #expect(rate == naive.egressRate(endpoints[from]), "\(text)")
            }
        }
        // The world is such that everything happens.
        #expect(seen.count >= 8, "\(seen)")
    }

    @Test func `the text of a policy says the same and has no order`() throws {
        var random = RandomPolicy(random: SeededGenerator(seed: 99))
        for _ in 0..<300 {
            let document = try Self.parse(random.text())
            let again = try Self.parse(document.text)
            #expect(again == document)
            #expect(again.text == document.text)
            #expect(CompiledPolicy(again).generation == CompiledPolicy(document).generation)
        }
    }

    @Test func `resolved rules say of addresses what the policy says of containers`() throws {
        var random = RandomPolicy(random: SeededGenerator(seed: 5))
        for _ in 0..<100 {
            let text = random.text()
            let policy = CompiledPolicy(try Self.parse(text))
            var containers: [IPAddress: PolicyContainer] = [:]
            var endpoints: [PolicyEndpoint] = []
            for endpoint in (0..<8).map({ _ in random.endpoint() }) {
                if let identity = endpoint.container {
                    if containers[endpoint.address] != nil { continue }
                    containers[endpoint.address] = PolicyContainer(
                        name: identity.name, labels: identity.labels, addresses: [endpoint.address])
                }
                endpoints.append(endpoint)
            }
            for direction in PolicyDirection.allCases {
                let all = Array(containers.values)
                let rules = policy.resolvedRules(direction, among: all)
                let isolated = policy.isolatedAddresses(direction, among: all)
                for from in endpoints {
                    for to in endpoints {
                        let (port, transport) = (random.port(), random.transport())
                        let deciding = rules.first { resolved in
                            let rule = policy.rules[resolved.rule]
                            return resolved.from.contains(from.address) && resolved.to.contains(to.address)
                                && rule.protocols.contains(transport, withPorts: !rule.ports.isEmpty)
                                && (!transport.hasPorts || rule.ports.covers(Port(port)))
                        }
                        let subject = direction == .ingress ? to.address : from.address
                        let isolation = isolated.first { $0.addresses.contains(subject) }?.isolation
                        let cause: PolicyVerdict.Cause =
                            deciding.map { .rule($0.rule) } ?? isolation.map { .isolation($0) } ?? .defaultAction
                        let verdict = policy.decide(
                            direction, from: from, to: to, port: Port(port), protocol: transport)
                        #expect(verdict.cause == cause, "\(text)")
                    }
                }
            }
        }
    }

    @Test func `packets between classes are decided as between their addresses`() throws {
        var random = RandomPolicy(random: SeededGenerator(seed: 8))
        for _ in 0..<60 {
            let text = random.text()
            let policy = CompiledPolicy(try Self.parse(text))
            var endpoints: [IPAddress: PolicyEndpoint] = [:]
            for endpoint in (0..<8).map({ _ in random.endpoint() }) { endpoints[endpoint.address] = endpoint }
            let containers = endpoints.values.compactMap { endpoint in
                endpoint.container.map {
                    PolicyContainer(name: $0.name, labels: $0.labels, addresses: [endpoint.address])
                }
            }
            let classes = policy.packetClasses(containers)
            for (one, other) in zip(classes.ranges, classes.ranges.dropFirst()) { #expect(one.last < other.first) }
            for from in endpoints.values {
                for to in endpoints.values {
                    let (port, transport) = (random.port(), random.transport())
                    let ends = try [from, to].map { endpoint in
                        let range = classes.ranges.filter {
                            $0.first <= endpoint.address && endpoint.address <= $0.last
                        }
                        #expect(range.count == 1)
                        return classes.classes[try #require(range.first).identity]
                    }
                    for direction in PolicyDirection.allCases {
                        let verdicts = policy.packetVerdicts(direction, from: ends[0], to: ends[1], protocol: transport)
                        #expect(verdicts.first?.ports.lowerBound == 0 && verdicts.last?.ports.upperBound == .max)
                        let verdict = verdicts.first { $0.ports.contains(port) }?.verdict
                        #expect(
                            verdict
                                == policy.decide(direction, from: from, to: to, port: Port(port), protocol: transport),
                            "\(text)")
                    }
                }
            }
        }
    }

    @Test func `classes of another policy are not believed`() throws {
        let closed = CompiledPolicy(
            try Self.parse(#"{"version": 1, "rules": [{"name": "r", "action": "deny", "from": "any", "to": "any"}]}"#))
        let open = CompiledPolicy(.open)
        var random = RandomPolicy(random: SeededGenerator(seed: 1))
        let (from, to) = (open.identityClass(of: random.endpoint()), open.identityClass(of: random.endpoint()))
        #expect(open.egress(from: from, to: to, port: Port(80)).isAllowed)
        #expect(!closed.egress(from: from, to: to, port: Port(80)).isAllowed)
        #expect(!closed.ingress(from: from, to: to, port: Port(80)).isAllowed)
    }

    @Test func `many rules decide as the text says too`() throws {
        var random = RandomPolicy(random: SeededGenerator(seed: 3))
        let peers =
            (0..<300).map { #"{"labels": {"app": "a\#($0)"}}"# } + [
                #""any""#, #"{"labels": {"app": {"exists": true}}}"#,
            ]
        let rules = (0..<3000).map { index in
            let (from, to) = (peers.randomElement(using: &random.random), peers.randomElement(using: &random.random))
            let ports = [index % 50 + 1000, index % 7 + 2000]
            let action = index % 3 == 0 ? "deny" : "allow"
            return
                #"{"name": "r\#(index)", "action": "\#(action)", "from": \#(from ?? ""), "to": \#(to ?? ""), "ports": \#(ports)}"#
        }
        let text = #"{"version": 1, "rules": [\#(rules.joined(separator: ","))]}"#
        let naive = try NaivePolicy(text)
        let policy = CompiledPolicy(try Self.parse(text))
        for _ in 0..<60 {
            let ends = (0..<2).map { _ in
                PolicyEndpoint(
                    name: "c", labels: ["app": "a\(Int.random(in: 0..<300, using: &random.random))"],
                    address: IPAddress(v4: (10, 32, 1, 1)))
            }
            let port = UInt16.random(in: 1000..<1050, using: &random.random)
            let verdict = policy.decide(.egress, from: ends[0], to: ends[1], port: Port(port), protocol: .tcp)
            let expected = naive.decide("egress", from: ends[0], to: ends[1], port: Int(port), protocol: "tcp")
            #expect(Self.describe(verdict, policy) == expected)
        }
    }
}
