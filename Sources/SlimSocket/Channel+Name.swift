import CSlimABI
import CSlimSocket

/// The name of a channel's other end: prefix, number, '/', and the listener's address, both in hexadecimal.
extension Channel {
    private static var prefix: StaticString { "slim-listener/" }
    private static let digitsOfNumber = 16

    /// - Parameter name: a socket address as `getpeername` gives it; `nil` is returned for every other name.
    static func address(in name: Slice<UnsafeRawBufferPointer>) -> slim_address? {
        let prefixLength = Int(SLIM_CHANNEL_PREFIX_LENGTH)
        let bytes = UnsafeRawBufferPointer(rebasing: name)
        guard bytes.count == 3 + Int(SLIM_CHANNEL_NAME_LENGTH), bytes.load(as: UInt16.self) == UInt16(SLIM_AF_UNIX),
            bytes[2] == 0
        else { return nil }
        for index in 0..<prefixLength where bytes[3 + index] != prefix.utf8Start[index] { return nil }
        let start = 3 + prefixLength + digitsOfNumber + 1
        var address = slim_address()
        let isComplete = withUnsafeMutableBytes(of: &address) { target in
            for index in 0..<target.count {
                guard let high = value(of: bytes[start + 2 * index]), let low = value(of: bytes[start + 2 * index + 1])
                else { return false }
                target[index] = high << 4 | low
            }
            return true
        }
        return isComplete ? address : nil
    }

    /// Writes a name, without the NUL that comes first in an abstract one.
    static func write(number: UInt64, _ address: slim_address, into name: UnsafeMutableRawBufferPointer) {
        let prefixLength = Int(SLIM_CHANNEL_PREFIX_LENGTH)
        for index in 0..<prefixLength { name[index] = prefix.utf8Start[index] }
        let end = prefixLength + digitsOfNumber
        for index in 0..<digitsOfNumber {
            name[end - 1 - index] = digit(UInt8(truncatingIfNeeded: number >> UInt64(4 * index) & 15))
        }
        name[end] = 47
        withUnsafeBytes(of: address) { bytes in
            for index in 0..<bytes.count {
                name[end + 1 + 2 * index] = digit(bytes[index] >> 4)
                name[end + 2 + 2 * index] = digit(bytes[index] & 15)
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        default: nil
        }
    }
}
