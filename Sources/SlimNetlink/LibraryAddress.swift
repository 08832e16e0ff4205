internal import CNetlinkRoute
internal import SlimRegistry

/// Makes libnl addresses of ours for the length of a call: libnl objects take their own reference.
func withLibraryAddress<Value>(
    _ address: IPAddress, prefixLength: Int? = nil, _ body: (OpaquePointer?) -> Value
) -> Value {
    let family = address.family == .v4 ? AF_INET : AF_INET6
    return withLibraryAddress(family: family, address.bytes, prefixLength: prefixLength, body)
}

func withLibraryAddress<Value>(_ mac: MACAddress, _ body: (OpaquePointer?) -> Value) -> Value {
    withLibraryAddress(family: AF_LLC, mac.bytes, prefixLength: nil, body)
}

private func withLibraryAddress<Value>(
    family: CInt, _ bytes: [UInt8], prefixLength: Int?, _ body: (OpaquePointer?) -> Value
) -> Value {
    let address = bytes.withUnsafeBytes { nl_addr_build(family, $0.baseAddress, $0.count) }
    defer { nl_addr_put(address) }
    if let prefixLength { nl_addr_set_prefixlen(address, CInt(prefixLength)) }
    return body(address)
}

extension IPAddress {
    /// Converts libnl's form; `nil` when it is none or of another family.
    init?(library address: OpaquePointer?) {
        guard let address else { return nil }
        self.init(bytes: libraryBytes(address))
    }
}

extension Subnet {
    /// Converts libnl's form, whose default route is an address without bytes.
    init?(library address: OpaquePointer?, family: CInt) {
        guard let address else { return nil }
        let any: IPAddress = family == AF_INET6 ? .anyV6 : .anyV4
        self.init(
            IPAddress(bytes: libraryBytes(address)) ?? any, length: Int(nl_addr_get_prefixlen(address)))
    }
}

extension MACAddress {
    init?(library address: OpaquePointer?) {
        guard let address else { return nil }
        self.init(bytes: libraryBytes(address))
    }
}

private func libraryBytes(_ address: OpaquePointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: nl_addr_get_binary_addr(address), count: Int(nl_addr_get_len(address)))
}
