/// A TCP or UDP port, in host byte order.
package struct Port: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(_ value: UInt16) { rawValue = value }
    package static func < (a: Port, b: Port) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}

/// An address and a port: `10.32.1.2:80`, `[fd00:32:0:1::2]:80`.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: IPAddress
    package var port: Port

    package init(_ address: IPAddress, _ port: Port) {
        self.address = address
        self.port = port
    }

    package var description: String {
        address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
