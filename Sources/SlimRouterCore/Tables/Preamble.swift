internal import Crypto
internal import SlimRegistry

/// The first bytes of every connection between data ports: who connects to whom, once, under the sender's key.
///
/// 88 bytes, big-endian, laid out as `docs/protocol.md` says; the last 16 are HMAC-SHA-256 over the others, truncated.
struct Preamble: Equatable {
    static let byteCount = 88
    private static let signedBytes = 72
    private static let magic: UInt32 = 0x534c_494d
    private static let version: UInt8 = 1

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// A router asks whether the port answers: there is no application behind it.
        static let probe = Flags(rawValue: 1)
        /// Made in advance: its counter is one of another sequence, and it may have been declared void.
        static let prepared = Flags(rawValue: 2)
        /// Within one host: the connecting program has asked for a joined connection.
        static let joined = Flags(rawValue: 4)
    }

    var flags: Flags
    var keyID: UInt64
    /// Never used twice with a key.
    var counter: UInt64
    var source: Endpoint
    var destination: Endpoint

    /// Writes the preamble and its authentication code into 88 bytes.
    ///
    /// - Parameter authenticator: an HMAC that has its key and no data yet: preparing it takes as long as using it.
    func encode(into buffer: UnsafeMutableRawBufferPointer, with authenticator: HMAC<SHA256>) {
        buffer.storeBytes(of: Self.magic.bigEndian, as: UInt32.self)
        buffer.storeBytes(of: Self.version, toByteOffset: 4, as: UInt8.self)
        buffer.storeBytes(of: flags.rawValue, toByteOffset: 5, as: UInt8.self)
        buffer.storeBytes(of: source.address.family.rawValue, toByteOffset: 6, as: UInt8.self)
        buffer.storeBytes(of: destination.address.family.rawValue, toByteOffset: 7, as: UInt8.self)
        buffer.storeBytes(of: keyID.bigEndian, toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: counter.bigEndian, toByteOffset: 16, as: UInt64.self)
        buffer.storeBytes(of: source.address.high.bigEndian, toByteOffset: 24, as: UInt64.self)
        buffer.storeBytes(of: source.address.low.bigEndian, toByteOffset: 32, as: UInt64.self)
        buffer.storeBytes(of: destination.address.high.bigEndian, toByteOffset: 40, as: UInt64.self)
        buffer.storeBytes(of: destination.address.low.bigEndian, toByteOffset: 48, as: UInt64.self)
        buffer.storeBytes(of: source.port.rawValue.bigEndian, toByteOffset: 56, as: UInt16.self)
        buffer.storeBytes(of: destination.port.rawValue.bigEndian, toByteOffset: 58, as: UInt16.self)
        buffer.storeBytes(of: 0, toByteOffset: 60, as: UInt32.self)
        buffer.storeBytes(of: 0, toByteOffset: 64, as: UInt64.self)
        Self.withCode(of: buffer, authenticator) { code in
            UnsafeMutableRawBufferPointer(rebasing: buffer[Self.signedBytes...]).copyMemory(from: code)
        }
    }

    /// The number of the key that a preamble claims to be signed with; `nil` for what is no preamble of this version.
    static func keyID(in buffer: UnsafeRawBufferPointer) -> UInt64? {
        guard buffer.count == byteCount, UInt32(bigEndian: buffer.load(as: UInt32.self)) == magic,
            buffer.load(fromByteOffset: 4, as: UInt8.self) == version
        else { return nil }
        return UInt64(bigEndian: buffer.load(fromByteOffset: 8, as: UInt64.self))
    }

    /// Reads a preamble; `nil` unless the authentication code is right and every field makes sense.
    init?(_ buffer: UnsafeRawBufferPointer, with authenticator: HMAC<SHA256>) {
        guard let keyID = Self.keyID(in: buffer), Self.isAuthentic(buffer, authenticator) else { return nil }
        func word(_ offset: Int) -> UInt64 { UInt64(bigEndian: buffer.load(fromByteOffset: offset, as: UInt64.self)) }
        func port(_ offset: Int) -> Port {
            Port(UInt16(bigEndian: buffer.load(fromByteOffset: offset, as: UInt16.self)))
        }
        func address(_ offset: Int, _ family: UInt8) -> IPAddress? {
            switch IPAddress.Family(rawValue: family) {
            case .v4: IPAddress(v4Bits: UInt32(truncatingIfNeeded: word(offset) >> 32))
            case .v6: IPAddress(v6High: word(offset), low: word(offset + 8))
            case nil: nil
            }
        }
        guard let source = address(24, buffer[6]), let destination = address(40, buffer[7]) else { return nil }
        flags = Flags(rawValue: buffer[5])
        self.keyID = keyID
        counter = word(16)
        self.source = Endpoint(source, port(56))
        self.destination = Endpoint(destination, port(58))
    }

    init(flags: Flags = [], keyID: UInt64, counter: UInt64, source: Endpoint, destination: Endpoint) {
        self.flags = flags
        self.keyID = keyID
        self.counter = counter
        self.source = source
        self.destination = destination
    }

    private static func isAuthentic(_ buffer: UnsafeRawBufferPointer, _ authenticator: HMAC<SHA256>) -> Bool {
        withCode(of: UnsafeMutableRawBufferPointer(mutating: buffer), authenticator) { code in
            var difference: UInt8 = 0
            for index in 0..<code.count { difference |= code[index] ^ buffer[signedBytes + index] }
            return difference == 0
        }
    }

    private static func withCode<Result>(
        of buffer: UnsafeMutableRawBufferPointer, _ authenticator: HMAC<SHA256>,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let signed = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<signedBytes])
        var authenticator = authenticator
        authenticator.update(data: signed)
        return authenticator.finalize().withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[..<(byteCount - signedBytes)]))
        }
    }
}
