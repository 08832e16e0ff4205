internal import SlimPolicy
internal import SlimRegistry

/// A made-up cluster: applications in teams, and rules of the kinds that people write.
struct PolicyModel {
    struct Flow {
        let from: Int
        let to: Int
        let port: Port
    }

    let containers: [PolicyEndpoint]

    private static let applications = 200
    private static let teams = 20

    init(endpoints: Int) {
        containers = (0..<endpoints).map { index in
            PolicyEndpoint(
                name: "c\(index)", labels: Self.labels(index),
                address: IPAddress(v4: (10, 32, UInt8(index >> 8), UInt8(index & 255))))
        }
    }

    /// Those of a container.
    static func labels(_ index: Int) -> [String: String] {
        [
            "app": "app\(index % applications)", "team": "team\(index % teams)",
            "env": index % 3 == 0 ? "test" : "prod",
        ]
    }

    /// The text of a policy; the same rules each time, and of fewer rules the first ones.
    func policy(rules: Int) -> String {
        var random = SeededGenerator(seed: 7)
        let texts = (0..<rules).map { index in
            """
            {"name": "rule-\(index)", "action": "\(index % 5 == 4 ? "deny" : "allow")", \
            "from": \(peer(&random)), "to": \(peer(&random)), \
            "ports": [\(port(&random).rawValue), "\(9000 + index % 50)-\(9060 + index % 50)"], "protocol": "tcp"}
            """
        }
        return """
            {"version": 1, "defaultAction": {"ingress": "deny", "egress": "deny"}, "rules": [
            \(texts.joined(separator: ",\n"))
            ]}
            """
    }

    func flows(_ count: Int) -> [Flow] {
        var random = SeededGenerator(seed: 11)
        return (0..<count).map { _ in
            Flow(
                from: Int.random(in: 0..<containers.count, using: &random),
                to: Int.random(in: 0..<containers.count, using: &random), port: port(&random))
        }
    }

    private func port(_ random: inout SeededGenerator) -> Port {
        Port(UInt16.random(in: 8000..<8050, using: &random))
    }

    private func peer(_ random: inout SeededGenerator) -> String {
        let application = Int.random(in: 0..<Self.applications, using: &random)
        let team = application % Self.teams
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<10: return #"{"labels": {"app": "app\#(application)"}}"#
        case 10..<14: return #"{"labels": {"app": "app\#(application)", "env": "prod"}}"#
        case 14..<16: return #"{"labels": {"team": {"in": ["team\#(team)", "team\#((team + 1) % Self.teams)"]}}}"#
        case 16..<18: return #"{"container": "c\#(Int.random(in: 0..<containers.count, using: &random))"}"#
        case 18: return #"{"cidr": "10.32.\#(Int.random(in: 0..<4, using: &random)).\#(16 * team % 256)/28"}"#
        default: return #"{"labels": {"team": "team\#(team)", "env": {"notIn": ["test"]}}}"#
        }
    }
}

/// SplitMix64: the same numbers each time.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
