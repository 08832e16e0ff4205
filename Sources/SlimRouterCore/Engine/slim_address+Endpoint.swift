internal import CSlimABI
internal import SlimRegistry
internal import SlimSystem

extension slim_address {
    init(_ endpoint: Endpoint) {
        self.init()
        let address = endpoint.address
        family = UInt16(address.family == .v4 ? KernelAddress.Family.v4.rawValue : KernelAddress.Family.v6.rawValue)
        port = endpoint.port.rawValue
        withUnsafeMutableBytes(of: &bytes) { target in
            target.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            target.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

    /// Address and port; a v4-mapped address gives the IPv4 one. `nil` for an unknown family.
    var endpoint: Endpoint? {
        let (high, low) = withUnsafeBytes(of: bytes) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        switch KernelAddress.Family(rawValue: CInt(family)) {
        case .v4: return Endpoint(IPAddress(v4Bits: UInt32(truncatingIfNeeded: high >> 32)), Port(port))
        case .v6: return Endpoint(IPAddress(v6High: high, low: low), Port(port))
        case nil: return nil
        }
    }
}
