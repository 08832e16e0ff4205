import CMinimalNetlink
import CSlimSystem
import Glibc
import SlimRegistry
import SlimSystem

@testable import SlimNetlink

/// Datagrams of the kernel's socket diagnostics: answers to a dump, to destroy requests, and events.
final class NetlinkHarness: Harness {
    static let name = "netlink"
    static let longest = 4096
    static let words = ["\u{14}\0\u{1}\0", "\u{2}\0\0\0", "\u{3}\0\0\0", "\u{2}\0", "\u{a}\0", "\u{4}\0\u{2}\0"]

    private enum Number {
        static let error: UInt16 = 2
        static let done: UInt16 = 3
        static let byFamily: UInt16 = 20
        static let info: UInt16 = 2
        static let storages: UInt16 = 19
    }

    private static let fixedPart = 72
    private static let header = 16

    init() {}

    static func seeds() -> [[UInt8]] {
        let v4 = socket(CInt(AF_INET), attributes: attribute(Number.info, [UInt8](repeating: 7, count: 232)))
        let v6 = socket(
            CInt(AF_INET6), attributes: attribute(8, [1, 2, 3]) + attribute(Number.storages, [0, 0, 0, 0]))
        let refusal = message(Number.error, le(UInt32(bitPattern: -ENOENT)) + [UInt8](repeating: 0, count: 16))
        return [
            [3] + v4 + v6 + message(Number.done, [0, 0, 0, 0]), [1] + v6, [0] + refusal + v4,
            [2] + message(Number.error, [0, 0, 0, 0]),
        ]
    }

    func run(_ input: UnsafeRawBufferPointer) throws {
        var reader = InputReader(input)
        let choice = reader.byte()
        let bytes = reader.remaining()
        // Exactly as large as what was received: what is read beyond it is noticed.
        let datagram = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
        defer { datagram.deallocate() }
        datagram.copyMemory(from: bytes)
        let received = UnsafeRawBufferPointer(rebasing: datagram[..<bytes.count])
        _ = DestroyEvents.cookie(in: received)
        var count = 0
        var failure: Finding?
        DiagnosticsAnswer.forEach(in: received, answering: 0) { message in
            count += 1
            let answer = DiagnosticsAnswer(message, withTraffic: choice & 1 != 0, onlyTagged: choice & 2 != 0)
            guard case .socket(let record) = answer else { return }
            failure = failure ?? Self.contradiction(record)
        }
        if let failure { throw failure }
        try require(count * Self.header <= bytes.count, "more messages than there is room for")
    }

    /// The socket is asked for again, by what the answer said of it: all of that must be as it was.
    private static func contradiction(_ record: SocketRecord) -> Finding? {
        let request = record.request
        let cookie = UInt64(request.id.idiag_cookie.1) << 32 | UInt64(request.id.idiag_cookie.0)
        guard SocketCookie(rawValue: cookie) == record.cookie,
            UInt16(bigEndian: request.id.idiag_sport) == record.local.port.rawValue,
            UInt16(bigEndian: request.id.idiag_dport) == record.remote.port.rawValue,
            address(request.id.idiag_src, request.sdiag_family) == record.local.address,
            address(request.id.idiag_dst, request.sdiag_family) == record.remote.address
        else { return Finding("another socket is asked for than \(record)") }
        return nil
    }

    private static func address<Words>(_ words: Words, _ family: UInt8) -> IPAddress? {
        withUnsafeBytes(of: words) { IPAddress(bytes: $0.prefix(CInt(family) == AF_INET ? 4 : 16)) }
    }

    // MARK: As the kernel writes

    private static func le(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private static func message(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
        le(UInt32(header + body.count)) + le(type) + [2, 0] + [UInt8](repeating: 0, count: 8) + body
    }

    private static func attribute(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
        le(UInt16(4 + body.count)) + le(type) + body + [UInt8](repeating: 0, count: -body.count & 3)
    }

    private static func socket(_ family: CInt, attributes: [UInt8]) -> [UInt8] {
        let ports: [UInt8] = [0x12, 0xc0, 0, 80]
        let addresses =
            family == AF_INET
            ? [10, 32, 1, 2] + [UInt8](repeating: 0, count: 12) + [10, 32, 2, 2] + [UInt8](repeating: 0, count: 12)
            : [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 10, 32, 1, 2, 0xfd] + [UInt8](repeating: 1, count: 15)
        let fixed = [UInt8(family), 1, 0, 0] + ports + addresses + le(UInt32(1)) + le(UInt64(77))
        return message(Number.byFamily, fixed + [UInt8](repeating: 0, count: fixedPart - fixed.count) + attributes)
    }
}
