internal import ArgumentParser
internal import FoundationEssentials
internal import SlimPolicy
internal import SlimRegistry

/// What a decision costs with few rules and with many, and how long a policy takes to come into being.
struct PolicyBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Measure what a decision of the policy costs with 10 rules and with many, and reading such a policy.")

    @Option(help: "How many rules are many.") var rules = 10_000
    @Option(help: "Containers that connections are decided between.") var endpoints = 1000
    @Flag(help: "Print JSON.") var json = false

    private static let few = 10

    func validate() throws {
        guard (Self.few...100_000).contains(rules) else { throw ValidationError("--rules: from 10 to 100000") }
        guard (2...60_000).contains(endpoints) else { throw ValidationError("--endpoints: from 2 to 60000") }
    }

    func run() throws {
        let model = PolicyModel(endpoints: endpoints)
        let few = try measure(model, rules: Self.few)
        let many = try measure(model, rules: rules)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return print(String(decoding: try encoder.encode(["few": few, "many": many]), as: UTF8.self))
        }
        let rows: [(String, KeyPath<PolicyFigures, Double>, Int)] = [
            ("decision, p50 (ns)", \.decisionNanoseconds, 1),
            ("decision by addresses, p50 (ns)", \.byAddressNanoseconds, 1),
            ("class of a container, p50 (us)", \.classMicroseconds, 2),
            ("reading and checking the text (ms)", \.parseMilliseconds, 1),
            ("compiling (ms)", \.compileMilliseconds, 1),
        ]
        print("\(endpoints) endpoints; rules: \(Self.few) / \(rules) / ratio")
        for (title, path, decimals) in rows {
            let values = [few[keyPath: path], many[keyPath: path], many[keyPath: path] / few[keyPath: path]]
            let texts = zip(values, [decimals, decimals, 2]).map { Results.text($0, $1) }
            print(title + String(repeating: " ", count: 36 - title.count) + texts.joined(separator: "  "))
        }
    }

    private func measure(_ model: PolicyModel, rules: Int) throws -> PolicyFigures {
        let text = Array(model.policy(rules: rules).utf8)
        var document = PolicyDocument.open
        let parse = try median(5) { document = try PolicyDocument.parse(text, file: "policy") }
        var policy = CompiledPolicy(.open)
        let compile = median(5) { policy = CompiledPolicy(document) }

        var classes: [IdentityClass] = []
        let classTimes = model.containers.map { container in
            median(1) { classes.append(policy.identityClass(of: container)) }
        }
        var byAddress: [IPAddress: IdentityClass] = [:]
        for identity in classes { byAddress[identity.endpoint.address] = identity }

        let flows = model.flows(100_000)
        var allowed = 0
        let decisions = batches(flows) { flow in
            let verdict = policy.egress(from: classes[flow.from], to: classes[flow.to], port: flow.port)
            allowed += verdict.isAllowed ? 1 : 0
        }
        let addressed = flows.map { flow in
            (model.containers[flow.from].address, model.containers[flow.to].address, flow.port)
        }
        let lookups = batches(addressed) { from, to, port in
            guard let from = byAddress[from], let to = byAddress[to] else { return }
            allowed += policy.egress(from: from, to: to, port: port).isAllowed ? 1 : 0
        }
        say("\(rules) rules: \(allowed / 2 * 100 / (flows.count * Self.passes))% of the connections are allowed")
        return PolicyFigures(
            decisionNanoseconds: decisions, byAddressNanoseconds: lookups,
            classMicroseconds: classTimes.sorted()[classTimes.count / 2] / 1e3, parseMilliseconds: parse / 1e6,
            compileMilliseconds: compile / 1e6)
    }

    private static let passes = 5

    /// Nanoseconds of one call, the median over batches that are long enough for the clock.
    private func batches<Element>(_ elements: [Element], _ body: (Element) -> Void) -> Double {
        let size = 1000
        var samples: [Double] = []
        for _ in 0..<Self.passes {
            for start in stride(from: 0, to: elements.count, by: size) {
                let batch = elements[start..<min(start + size, elements.count)]
                samples.append(median(1) { for element in batch { body(element) } } / Double(batch.count))
            }
        }
        return samples.sorted()[samples.count / 2]
    }

    /// Nanoseconds that a piece of work takes, the median of several times.
    private func median(_ times: Int, _ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let samples = try (0..<times).map { _ in try clock.measure { try body() } / .nanoseconds(1) }
        return samples.sorted()[samples.count / 2]
    }
}

/// What is measured of one policy.
struct PolicyFigures: Codable {
    let decisionNanoseconds: Double
    let byAddressNanoseconds: Double
    let classMicroseconds: Double
    let parseMilliseconds: Double
    let compileMilliseconds: Double
}
