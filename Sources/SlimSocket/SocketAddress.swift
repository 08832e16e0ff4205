import CSlimABI
import CSlimSocket

/// The socket addresses of the C API (`sockaddr_in`, `sockaddr_in6`) and of the local protocol.
enum SocketAddress {
    static let v4Length: UInt32 = 16
    static let v6Length: UInt32 = 28

    /// The family of an address that the application passed; `nil` when there is not even one.
    static func family(_ address: UnsafeRawPointer?, _ length: UInt32) -> CInt? {
        guard let address, length >= 2 else { return nil }
        return CInt(address.loadUnaligned(as: UInt16.self))
    }

    /// Reads `sockaddr_in` or `sockaddr_in6`; `nil` for any other family or a short address.
    static func decode(_ address: UnsafeRawPointer, length: UInt32) -> slim_address? {
        var result = slim_address()
        switch family(address, length) {
        case SLIM_AF_INET where length >= v4Length:
            result.family = UInt16(SLIM_AF_INET)
            copy(address + 4, into: &result, count: 4)
        case SLIM_AF_INET6 where length >= v6Length - 4:
            result.family = UInt16(SLIM_AF_INET6)
            copy(address + 8, into: &result, count: 16)
            if length >= v6Length { result.scope = address.loadUnaligned(fromByteOffset: 24, as: UInt32.self) }
        default:
            return nil
        }
        result.port = UInt16(bigEndian: address.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        return result
    }

    /// Writes an address as the kernel would: as much as fits, and the length that all of it would need.
    ///
    /// - Parameter family: of the socket: on an IPv6 socket an IPv4 address is shown v4-mapped.
    static func encode(
        _ address: slim_address, family: CInt, into buffer: UnsafeMutableRawPointer,
        length: UnsafeMutablePointer<UInt32>
    ) {
        var scratch = slim_bytes()
        withUnsafeMutableBytes(of: &scratch) { bytes in
            bytes.storeBytes(of: UInt16(truncatingIfNeeded: family), as: UInt16.self)
            bytes.storeBytes(of: address.port.bigEndian, toByteOffset: 2, as: UInt16.self)
            let isV4 = address.family == UInt16(SLIM_AF_INET)
            let full: UInt32
            if family == SLIM_AF_INET {
                copy(address, from: isV4 ? 0 : 12, count: 4, to: bytes, at: 4)
                full = v4Length
            } else {
                if isV4 {
                    bytes.storeBytes(of: 0xffff, toByteOffset: 18, as: UInt16.self)
                    copy(address, from: 0, count: 4, to: bytes, at: 20)
                } else {
                    copy(address, from: 0, count: 16, to: bytes, at: 8)
                    bytes.storeBytes(of: address.scope, toByteOffset: 24, as: UInt32.self)
                }
                full = v6Length
            }
            let count = Int(min(length.pointee, full))
            UnsafeMutableRawBufferPointer(start: buffer, count: count)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            length.pointee = full
        }
    }

    private static func copy(_ source: UnsafeRawPointer, into address: inout slim_address, count: Int) {
        withUnsafeMutableBytes(of: &address.bytes) { target in
            for index in 0..<count { target[index] = source.load(fromByteOffset: index, as: UInt8.self) }
        }
    }

    private static func copy(
        _ address: slim_address, from offset: Int, count: Int, to target: UnsafeMutableRawBufferPointer, at start: Int
    ) {
        withUnsafeBytes(of: address.bytes) { source in
            for index in 0..<count { target[start + index] = source[offset + index] }
        }
    }
}

extension slim_address {
    /// A byte of the address as it is compared with prefixes: IPv4 (also v4-mapped) has four, IPv6 sixteen.
    func byte(_ index: Int) -> UInt8 {
        withUnsafeBytes(of: bytes) { $0[isMapped ? index + 12 : index] }
    }

    /// Whether this is `::ffff:a.b.c.d`.
    var isMapped: Bool {
        guard family == UInt16(SLIM_AF_INET6) else { return false }
        return withUnsafeBytes(of: bytes) { bytes in
            for index in 0..<10 where bytes[index] != 0 { return false }
            return bytes[10] == 0xff && bytes[11] == 0xff
        }
    }

    /// An address of IPv4 in its own form, whatever the socket that it is for.
    var unmapped: slim_address {
        guard isMapped else { return self }
        var result = self
        result.family = UInt16(SLIM_AF_INET)
        withUnsafeMutableBytes(of: &result.bytes) { bytes in
            for index in 0..<4 { bytes[index] = bytes[12 + index] }
            for index in 4..<16 { bytes[index] = 0 }
        }
        return result
    }

    var isV4: Bool { family == UInt16(SLIM_AF_INET) || isMapped }

    var isUnspecified: Bool {
        for index in 0..<(isV4 ? 4 : 16) where byte(index) != 0 { return false }
        return true
    }

    var isLoopback: Bool {
        if isV4 { return byte(0) == 127 }
        for index in 0..<15 where byte(index) != 0 { return false }
        return byte(15) == 1
    }

    func isInside(_ prefix: slim_prefix) -> Bool {
        guard isV4 == (prefix.family == UInt16(SLIM_AF_INET)) else { return false }
        let bits = min(Int(prefix.length), isV4 ? 32 : 128)
        return withUnsafeBytes(of: prefix.bytes) { bytes in
            for index in 0..<bits / 8 where byte(index) != bytes[index] { return false }
            guard bits % 8 != 0 else { return true }
            let mask = UInt8(truncatingIfNeeded: 0xff00 >> (bits % 8))
            return byte(bits / 8) & mask == bytes[bits / 8] & mask
        }
    }
}
