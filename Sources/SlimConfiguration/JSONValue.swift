internal import SlimRegistry

/// A JSON value and where it stands: reads it as what it is to be, or says what and where is wrong.
struct JSONValue {
    let node: JSONNode
    let file: String
    /// Such as `overlay.subnets[0]`; empty for the outermost value.
    let path: String

    func error(_ problem: String, _ remedy: String) -> ConfigurationError {
        ConfigurationError(file: file, place: .path(path), problem: problem, remedy: remedy)
    }

    private func mismatch(_ wanted: String) -> ConfigurationError {
        error("is \(node.kind)", "write \(wanted)")
    }

    func string() throws(ConfigurationError) -> String {
        guard case .string(let text) = node else { throw mismatch("a string") }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard case .number(let text) = node else { throw mismatch("a number") }
        guard let value = Int(text), range.contains(value) else {
            throw error(
                "\(text.prefix(40)) is out of range", "write an integer from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    func array() throws(ConfigurationError) -> [JSONValue] {
        guard case .array(let elements) = node else { throw mismatch("an array: [ ... ]") }
        return elements.enumerated().map { JSONValue(node: $1, file: file, path: "\(path)[\($0)]") }
    }

    func choice<Value: RawRepresentable & CaseIterable>(
        of _: Value.Type
    ) throws(ConfigurationError) -> Value where Value.RawValue == String {
        let text = try string()
        guard let value = Value(rawValue: text) else {
            let choices = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("\(quoted(text)) is not a choice here", "write one of: \(choices)")
        }
        return value
    }

    func port() throws(ConfigurationError) -> Port {
        Port(UInt16(truncatingIfNeeded: try integer(in: 1...65535)))
    }

    /// An address that a host can have.
    func address() throws(ConfigurationError) -> IPAddress {
        let text = try string()
        guard let address = IPAddress(text) else {
            throw error("\(quoted(text)) is not an IP address", "write one such as 192.0.2.1 or 2001:db8::1")
        }
        let isMulticast = address.family == .v4 ? address.high >> 60 >= 0xe : address.high >> 56 == 0xff
        guard !address.isUnspecified, !isMulticast else {
            throw error(
                "\(address) cannot be the address of a host", "write the address that the other hosts reach it by")
        }
        return address
    }

    func subnet() throws(ConfigurationError) -> Subnet {
        let text = try string()
        if let subnet = Subnet(text) { return subnet }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
            (0...address.bitWidth).contains(length), let start = Self.start(of: address, length: length)
        {
            throw error("\(quoted(text)) has bits set beyond the prefix", "write \(start)")
        }
        throw error(
            "\(quoted(text)) is not a subnet in CIDR notation", "write one such as 10.32.1.0/24 or fd00:32:0:1::/64")
    }

    /// The subnets of one host or of the overlay: at least one, at most one of each family.
    func subnets() throws(ConfigurationError) -> [Subnet] {
        var subnets: [Subnet] = []
        for element in try array() {
            let subnet = try element.subnet()
            if let other = subnets.first(where: { $0.address.family == subnet.address.family }) {
                throw element.error("\(subnet) beside \(other)", "give at most one IPv4 and one IPv6 subnet")
            }
            guard subnet.length <= subnet.address.bitWidth - 2 else {
                throw element.error(
                    "\(subnet) has no room for a bridge and a container",
                    "write a prefix length of at most \(subnet.address.bitWidth - 2)")
            }
            subnets.append(subnet)
        }
        guard !subnets.isEmpty else { throw error("is empty", "write at least one subnet") }
        return subnets
    }

    private static func start(of address: IPAddress, length: Int) -> Subnet? {
        var bytes = address.bytes
        for index in bytes.indices {
            let kept = max(0, min(8, length - 8 * index))
            bytes[index] &= kept == 0 ? 0 : 0xff << UInt8(8 - kept)
        }
        return IPAddress(bytes: bytes).flatMap { Subnet($0, length: length) }
    }

    /// An absolute path of a file or directory.
    func filePath(longest: Int = 4095) throws(ConfigurationError) -> String {
        let text = try string()
        guard text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(0) else {
            throw error("\(quoted(text)) is not an absolute path", "write one that starts with /")
        }
        guard text.utf8.count <= longest else {
            throw error("the path is longer than \(longest) bytes", "choose a shorter one")
        }
        return text
    }

    /// The name of a network interface.
    func interfaceName() throws(ConfigurationError) -> String {
        let text = try string()
        guard (1...15).contains(text.utf8.count), text != ".", text != "..",
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") })
        else {
            throw error("\(quoted(text)) is not the name of an interface", "write 1 to 15 letters, digits, '-' or '.'")
        }
        return text
    }

    /// The name of a host, which is the name in its certificate.
    func hostName() throws(ConfigurationError) -> String {
        let text = try string()
        guard HostName.isValid(text) else {
            throw error("\(quoted(text)) is not the name of a host", HostName.remedy)
        }
        return text
    }
}
