internal import SlimJSON
internal import SlimRegistry

extension JSONValue {
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
