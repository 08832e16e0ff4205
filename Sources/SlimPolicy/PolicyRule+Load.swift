internal import SlimJSON

extension PolicyRule {
    enum Key: String, CodingKey, CaseIterable {
        case name, description, action, mode, direction, from, to, ports
        case protocols = "protocol"
    }

    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        name = try object.required(.name).policyName()
        description = try object.optional(.description)?.string()
        let mode = object.optional(.mode)
        switch try object.required(.action).choice(of: PolicyAction.Name.self) {
        case .deny: action = .deny(try mode?.choice(of: DenyMode.self) ?? .reject)
        case .allow:
            if let mode { throw mode.error("the rule denies nothing", "remove the key") }
            action = .allow
        }
        direction = try object.optional(.direction)?.choice(of: PolicyScope.self) ?? .both
        from = try object.required(.from).selectors()
        to = try object.required(.to).selectors()
        (protocols, ports) = try object.traffic(.protocols, .ports)
    }
}

extension PolicyIsolation {
    enum Key: String, CodingKey, CaseIterable { case name, description, select, direction, mode }

    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        name = try object.required(.name).policyName()
        description = try object.optional(.description)?.string()
        select = try object.required(.select).selectors()
        direction = try object.optional(.direction)?.choice(of: PolicyScope.self) ?? .both
        mode = try object.optional(.mode)?.choice(of: DenyMode.self) ?? .reject
    }
}

extension PolicyBandwidth {
    enum Key: String, CodingKey, CaseIterable { case name, description, select, egress, ingress, perConnection }
    enum ConnectionKey: String, CodingKey, CaseIterable { case egress, ingress }

    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        name = try object.required(.name).policyName()
        description = try object.optional(.description)?.string()
        select = try object.required(.select).selectors()
        egress = try object.optional(.egress).map { (value) throws(ConfigurationError) in try RateLimit(value) }
        ingress = try object.optional(.ingress).map { (value) throws(ConfigurationError) in try RateLimit(value) }
        guard let perConnection = object.optional(.perConnection) else {
            (connectionEgress, connectionIngress) = (nil, nil)
            guard egress != nil || ingress != nil else {
                throw value.error("limits nothing", "write egress, ingress or perConnection")
            }
            return
        }
        let connection = try JSONObject(perConnection, keys: ConnectionKey.self)
        connectionEgress = try connection.optional(.egress)?.bitRate()
        connectionIngress = try connection.optional(.ingress)?.bitRate()
        guard connectionEgress != nil || connectionIngress != nil else {
            throw perConnection.error("limits nothing", "write egress or ingress")
        }
    }
}

extension RateLimit {
    enum Key: String, CodingKey, CaseIterable { case rate, ceiling, burst }

    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        rate = try object.required(.rate).bitRate()
        ceiling = try object.optional(.ceiling)?.bitRate() ?? rate
        burstBytes = try object.optional(.burst)?.byteCount()
        if ceiling < rate, let value = object.optional(.ceiling) {
            throw value.error("the ceiling \(ceiling) is below the rate \(rate)", "raise it, or leave it out")
        }
    }
}

extension PolicyQoS {
    enum Key: String, CodingKey, CaseIterable {
        case name, description, select, ports
        case protocols = "protocol"
        case priority = "class"
        case dscp
    }

    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        name = try object.required(.name).policyName()
        description = try object.optional(.description)?.string()
        select = try object.required(.select).selectors()
        (protocols, ports) = try object.traffic(.protocols, .ports)
        priority = try object.optional(.priority)?.trafficPriority()
        dscp = try object.optional(.dscp)?.dscp()
        guard priority != nil || dscp != nil else {
            throw value.error("neither a class nor a DSCP value", "write class or dscp")
        }
    }
}

extension JSONObject {
    /// The protocol and the ports of a rule, which must go together.
    fileprivate func traffic(
        _ protocolKey: Key, _ portsKey: Key
    ) throws(ConfigurationError) -> (ProtocolChoice, [PolicyPortRange]) {
        let protocols = try optional(protocolKey)?.choice(of: ProtocolChoice.self) ?? .any
        guard let value = optional(portsKey) else { return (protocols, []) }
        let ports = try value.policyPorts()
        if protocols == .icmp { throw value.error("ICMP has no ports", "remove them, or the protocol") }
        return (protocols, ports)
    }
}

extension JSONValue {
    fileprivate func trafficPriority() throws(ConfigurationError) -> TrafficPriority {
        let choices = TrafficPriority.named.map(\.name).joined(separator: ", ")
        switch node {
        case .string(let text):
            guard let named = TrafficPriority.named.first(where: { $0.name == text }) else {
                throw error("\(quoted(text)) is not a class", "write one of: \(choices), or a number from 0 to 7")
            }
            return named.priority
        case .number:
            return TrafficPriority(rawValue: UInt8(truncatingIfNeeded: try integer(in: 0...7))) ?? .normal
        default: throw error("is \(node.kind)", "write one of: \(choices), or a number from 0 to 7")
        }
    }

    fileprivate func dscp() throws(ConfigurationError) -> DSCP {
        let remedy = "write a number from 0 to 63, or a name such as \"ef\", \"af41\" or \"cs1\""
        let value: UInt8?
        switch node {
        case .string(let text): value = DSCP.named.first { $0.name == text }?.value
        case .number(let text): value = UInt8(text)
        default: throw error("is \(node.kind)", remedy)
        }
        guard let value, let dscp = DSCP(rawValue: value) else { throw error("is not a DSCP value", remedy) }
        return dscp
    }
}
