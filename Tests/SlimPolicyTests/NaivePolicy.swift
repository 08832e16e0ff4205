import SlimJSON
import SlimRegistry

@testable import SlimPolicy

/// Interprets the JSON of a policy word by word, looking at each rule for each question. Shares no code with what it checks
/// but the parsing of JSON and of addresses.
struct NaivePolicy {
    private let root: JSONNode

    init(_ text: String) throws {
        root = try JSONParser.parse(Array(text.utf8), file: "naive")
    }

    /// `allow`, `reject` or `drop`, and what decided.
    func decide(
        _ direction: String, from: PolicyEndpoint, to: PolicyEndpoint, port: Int, protocol transport: String
    ) -> String {
        let speaking = root["rules"].elements.filter { rule in
            ["both", direction].contains(rule["direction"].text ?? "both") && covers(rule, port, transport)
                && matches(rule["from"], from) && matches(rule["to"], to)
        }
        for kind in ["drop", "reject", "allow"] {
            let names = speaking.filter { action($0) == kind }.compactMap { $0["name"].text }
            if let first = names.min() { return "\(kind): rule \(first)" }
        }
        let subject = direction == "ingress" ? to : from
        let isolating = root["isolate"].elements.filter { isolation in
            subject.container != nil && matches(isolation["select"], subject)
                && ["both", direction].contains(isolation["direction"].text ?? "both")
        }
        for kind in ["drop", "reject"] {
            let names = isolating.filter { ($0["mode"].text ?? "reject") == kind }.compactMap { $0["name"].text }
            if let first = names.min() { return "\(kind): isolation \(first)" }
        }
        let defaults = root["defaultAction"]
        guard defaults[direction].text == "deny" else { return "allow: default" }
        return "\(defaults["mode"].text ?? "reject"): default"
    }

    /// The class and the DSCP value of a connection, as the file has them.
    func treatment(
        from: PolicyEndpoint, to: PolicyEndpoint, port: Int, protocol transport: String
    ) -> (priority: Int?, dscp: Int?) {
        let classes = ["realtime": 0, "interactive": 2, "bulk": 6]
        let entries = root["qos"].elements.filter { entry in
            [from, to].contains { $0.container != nil && matches(entry["select"], $0) }
                && covers(entry, port, transport)
        }.map { entry in
            let priority = entry["class"].integer ?? entry["class"].text.flatMap { classes[$0] }
            return (
                order: priority ?? 4, name: entry["name"].text ?? "", priority: priority, dscp: entry["dscp"].integer
            )
        }.sorted { ($0.order, $0.name) < ($1.order, $1.name) }
        return (entries.compactMap(\.priority).first, entries.compactMap(\.dscp).first)
    }

    /// The lowest egress rate of a container in Mbit/s.
    func egressRate(_ endpoint: PolicyEndpoint) -> Int? {
        root["bandwidth"].elements.filter { endpoint.container != nil && matches($0["select"], endpoint) }
            .compactMap { $0["egress"]["rate"].text.flatMap { Int($0.dropLast("mbit".count)) } }.min()
    }

    private func action(_ rule: JSONNode) -> String {
        rule["action"].text == "deny" ? rule["mode"].text ?? "reject" : "allow"
    }

    private func covers(_ rule: JSONNode, _ port: Int, _ transport: String) -> Bool {
        let wanted = rule["protocol"].text ?? "any"
        guard wanted == "any" || wanted == transport else { return false }
        let ports = rule["ports"].elements
        if ports.isEmpty { return true }
        guard transport == "tcp" || transport == "udp" else { return false }
        return ports.contains { element in
            if let single = element.integer { return single == port }
            let ends = (element.text ?? "").split(separator: "-").compactMap { Int($0) }
            return ends.count == 2 && ends[0] <= port && port <= ends[1]
        }
    }

    private func matches(_ selector: JSONNode, _ endpoint: PolicyEndpoint) -> Bool {
        if case .array(let elements) = selector { return elements.contains { matches($0, endpoint) } }
        if selector.text == "any" { return true }
        if selector.text == "containers" { return endpoint.container != nil }
        if let cidr = selector["cidr"].text {
            let inside = { (text: String) in Subnet(text)?.contains(endpoint.address) == true }
            return inside(cidr) && !selector["except"].elements.contains { inside($0.text ?? "") }
        }
        guard let container = endpoint.container else { return false }
        let names = selector["container"].text.map { [$0] } ?? selector["container"].elements.compactMap(\.text)
        guard names.isEmpty || names.contains(container.name) else { return false }
        guard case .object(let labels) = selector["labels"] else { return true }
        return labels.allSatisfy { label in
            let value = container.labels[label.key]
            if let wanted = label.value.text { return value == wanted }
            guard case .object(let tests) = label.value else { return false }
            return tests.allSatisfy { test in
                let values = test.value.elements.compactMap(\.text)
                switch test.key {
                case "in": return value.map { values.contains($0) } ?? false
                case "notIn": return value.map { !values.contains($0) } ?? true
                default: return (value != nil) == (test.value == .bool(true))
                }
            }
        }
    }
}

extension JSONNode {
    /// A member of an object; `null` when there is none.
    subscript(key: String) -> JSONNode {
        guard case .object(let members) = self else { return .null }
        return members.first { $0.key == key }?.value ?? .null
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }
    var elements: [JSONNode] { if case .array(let elements) = self { elements } else { [] } }
}
