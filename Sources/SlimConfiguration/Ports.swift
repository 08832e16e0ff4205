internal import SlimJSON
package import SlimRegistry

/// The TCP ports that a router listens on in the underlay.
package struct Ports: Equatable, Sendable {
    /// Where the other routers connect to.
    package var control: Port
    /// Where the connections of containers come in.
    package var data: PortRange

    enum Key: String, CodingKey, CaseIterable { case control, data }

    package init(control: Port = Port(4799), data: PortRange = PortRange(first: Port(4800), count: 8)) {
        self.control = control
        self.data = data
    }
}

extension Ports: Encodable, JSONReadable {
    init(_ value: JSONValue) throws(ConfigurationError) {
        let object = try JSONObject(value, keys: Key.self)
        self.init()
        if let value = object.optional(.control) { control = try value.port() }
        if let value = object.optional(.data) { data = try value.read(PortRange.self) }
        guard !data.contains(control) else {
            throw value.error(
                "the control port \(control) is one of the data ports \(data)",
                "move one of them: the defaults are 4799 and 4800-4807")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(control.rawValue, forKey: .control)
        try container.encode(data, forKey: .data)
    }
}
