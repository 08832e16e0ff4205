internal import Glibc
package import SlimRegistry

/// A `sockaddr_in` or `sockaddr_in6`, as system calls take and give it.
package struct KernelAddress: Sendable {
    package enum Family: CInt, Sendable { case v4 = 2, v6 = 10 }

    private var storage = sockaddr_in6()
    package private(set) var length: UInt32

    /// An address for a socket of a family: an IPv4 address becomes v4-mapped for an IPv6 socket.
    ///
    /// - Returns: `nil` for an IPv6 address on an IPv4 socket.
    package init?(_ endpoint: Endpoint, for family: Family) {
        let address = endpoint.address
        switch (family, address.v4Bits) {
        case (.v4, let bits?):
            length = UInt32(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { bytes in
                bytes.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
                bytes.storeBytes(of: endpoint.port.rawValue.bigEndian, toByteOffset: 2, as: UInt16.self)
                bytes.storeBytes(of: bits.bigEndian, toByteOffset: 4, as: UInt32.self)
            }
        case (.v4, nil):
            return nil
        case (.v6, let bits):
            length = UInt32(MemoryLayout<sockaddr_in6>.size)
            storage.sin6_family = sa_family_t(AF_INET6)
            storage.sin6_port = endpoint.port.rawValue.bigEndian
            withUnsafeMutableBytes(of: &storage.sin6_addr) { bytes in
                if let bits, !address.isUnspecified {
                    bytes.storeBytes(of: 0xffff, toByteOffset: 10, as: UInt16.self)
                    bytes.storeBytes(of: bits.bigEndian, toByteOffset: 12, as: UInt32.self)
                } else {
                    bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                    bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
                }
            }
        }
    }

    /// An empty one, to be filled by a system call.
    package init() { length = UInt32(MemoryLayout<sockaddr_in6>.size) }

    /// The family the kernel wrote; `nil` for anything but IPv4 and IPv6.
    package var family: Family? { Family(rawValue: CInt(storage.sin6_family)) }

    /// Address and port; a v4-mapped address is given as the IPv4 address it stands for.
    package var endpoint: Endpoint? {
        withUnsafeBytes(of: storage) { bytes in
            let port = Port(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            switch family {
            case .v4:
                return Endpoint(
                    IPAddress(v4Bits: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))), port)
            case .v6:
                let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
                return Endpoint(IPAddress(v6High: high, low: low), port)
            case nil:
                return nil
            }
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    mutating func withMutablePointer<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }
}
