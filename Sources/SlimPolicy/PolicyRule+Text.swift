extension PolicyRule {
    /// As the file has it, on one line, without what is the default.
    package var text: String {
        var members = PolicyWriter.head(name, description)
        members.append(("action", PolicyWriter.string(action.name.rawValue)))
        if action.mode == .drop { members.append(("mode", PolicyWriter.string(DenyMode.drop.rawValue))) }
        if direction != .both { members.append(("direction", PolicyWriter.string(direction.rawValue))) }
        members.append(("from", PolicyWriter.selectors(from)))
        members.append(("to", PolicyWriter.selectors(to)))
        return PolicyWriter.object(members + PolicyWriter.traffic(ports, protocols))
    }
}

extension PolicyIsolation {
    /// As the file has it, on one line, without what is the default.
    package var text: String {
        var members = PolicyWriter.head(name, description)
        members.append(("select", PolicyWriter.selectors(select)))
        if direction != .both { members.append(("direction", PolicyWriter.string(direction.rawValue))) }
        if mode == .drop { members.append(("mode", PolicyWriter.string(mode.rawValue))) }
        return PolicyWriter.object(members)
    }
}

extension PolicyBandwidth {
    /// As the file has it, on one line.
    package var text: String {
        var members = PolicyWriter.head(name, description)
        members.append(("select", PolicyWriter.selectors(select)))
        if let egress { members.append(("egress", egress.text)) }
        if let ingress { members.append(("ingress", ingress.text)) }
        let connection = [("egress", connectionEgress), ("ingress", connectionIngress)].compactMap { key, rate in
            rate.map { (key, PolicyWriter.string("\($0)")) }
        }
        if !connection.isEmpty { members.append(("perConnection", PolicyWriter.object(connection))) }
        return PolicyWriter.object(members)
    }
}

extension RateLimit {
    /// As the file has it, on one line.
    package var text: String {
        var members = [("rate", PolicyWriter.string("\(rate)"))]
        if ceiling != rate { members.append(("ceiling", PolicyWriter.string("\(ceiling)"))) }
        if let burstBytes { members.append(("burst", "\(burstBytes)")) }
        return PolicyWriter.object(members)
    }
}

extension PolicyQoS {
    /// As the file has it, on one line, without what is the default.
    package var text: String {
        var members = PolicyWriter.head(name, description)
        members.append(("select", PolicyWriter.selectors(select)))
        members += PolicyWriter.traffic(ports, protocols)
        if let priority {
            let isNamed = TrafficPriority.named.contains { $0.priority == priority }
            members.append(("class", isNamed ? PolicyWriter.string("\(priority)") : "\(priority)"))
        }
        if let dscp {
            let isNamed = DSCP.named.contains { $0.value == dscp.rawValue }
            members.append(("dscp", isNamed ? PolicyWriter.string("\(dscp)") : "\(dscp)"))
        }
        return PolicyWriter.object(members)
    }
}

extension PolicyWriter {
    fileprivate static func head(_ name: String, _ description: String?) -> [(String, String)] {
        [("name", string(name))] + (description.map { [("description", string($0))] } ?? [])
    }

    fileprivate static func traffic(_ ports: [PolicyPortRange], _ protocols: ProtocolChoice) -> [(String, String)] {
        var members: [(String, String)] = []
        if !ports.isEmpty {
            let texts = ports.map { $0.first == $0.last ? "\($0)" : string("\($0)") }
            members.append(("ports", array(texts)))
        }
        if protocols != .any { members.append(("protocol", string(protocols.rawValue))) }
        return members
    }
}
