import CSlimABI
import CSlimSocket

/// The accept channel that stands at the descriptor of a listening socket: one end of a SOCK_SEQPACKET pair.
///
/// It is recognised by the name of its other end, so that any process that comes to hold it (fork, exec, SCM_RIGHTS)
/// knows what it is, with the router dead as well.
struct Channel {
    /// The listener's address; its family is the listening socket's.
    let address: slim_address

    var family: CInt { CInt(address.family) }

    /// - Returns: `nil` for every other descriptor. Costs one system call; changes no errno.
    init?(_ fd: CInt) {
        var found: slim_address?
        withUnsafeTemporaryAllocation(byteCount: 112, alignment: 8) { name in
            let bytes = name.baseAddress!
            var length: UInt32 = 112
            let code = Kernel.quietly { slim_real_getpeername(fd, bytes, &length) }
            guard code == 0, length == 3 + UInt32(SLIM_CHANNEL_NAME_LENGTH),
                bytes.load(as: UInt16.self) == UInt16(SLIM_AF_UNIX), bytes.load(fromByteOffset: 2, as: UInt8.self) == 0
            else { return }
            found = Self.parse(UnsafeRawPointer(bytes + 3))
        }
        guard let found else { return nil }
        address = found
    }

    private static func parse(_ name: UnsafeRawPointer) -> slim_address? {
        let prefix: StaticString = "slim-listener/"
        for index in 0..<Int(SLIM_CHANNEL_PREFIX_LENGTH)
        where name.load(fromByteOffset: index, as: UInt8.self) != prefix.utf8Start[index] { return nil }
        let start = name + Int(SLIM_CHANNEL_PREFIX_LENGTH) + 17
        var address = slim_address()
        let complete = withUnsafeMutableBytes(of: &address) { target in
            for index in 0..<target.count {
                guard let high = digit(start, 2 * index), let low = digit(start, 2 * index + 1) else { return false }
                target[index] = high << 4 | low
            }
            return true
        }
        return complete ? address : nil
    }

    private static func digit(_ text: UnsafeRawPointer, _ index: Int) -> UInt8? {
        switch text.load(fromByteOffset: index, as: UInt8.self) {
        case let byte where byte >= 48 && byte <= 57: byte - 48
        case let byte where byte >= 97 && byte <= 102: byte - 87
        default: nil
        }
    }

    /// The listening socket behind the channel: the application's own, of its own namespace. The caller closes it.
    static func original(_ fd: CInt, flags: UInt32 = 0) -> CInt? {
        guard let answer = RouterLink.ask(SLIM_OP_ORIGINAL, flags: flags, passing: fd) else { return nil }
        guard answer.reply.verdict == SLIM_VERDICT_DONE.rawValue, answer.descriptor >= 0 else {
            answer.discard()
            return nil
        }
        return answer.descriptor
    }

    /// Replaces a channel whose other end is gone for good by one on which nothing ever happens: a server that polls
    /// it then sleeps instead of spinning on the end of file.
    func silence(_ fd: CInt) -> Bool {
        var pair: (CInt, CInt) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &pair) { slim_pair($0.bindMemory(to: CInt.self).baseAddress) }
        guard made == 0 else { return false }
        let flags = Kernel.statusFlags(fd) ?? 0
        withUnsafeTemporaryAllocation(byteCount: Int(SLIM_CHANNEL_NAME_LENGTH), alignment: 1) { name in
            let prefix: StaticString = "slim-listener/"
            for index in 0..<Int(SLIM_CHANNEL_PREFIX_LENGTH) { name[index] = prefix.utf8Start[index] }
            let cookie = Kernel.cookie(pair.1)
            let end = Int(SLIM_CHANNEL_PREFIX_LENGTH) + 16
            for index in 0..<16 { name[end - 1 - index] = Self.hexadecimal(UInt8(cookie >> UInt64(4 * index) & 15)) }
            name[end] = 47
            withUnsafeBytes(of: address) { bytes in
                for index in 0..<bytes.count {
                    name[end + 1 + 2 * index] = Self.hexadecimal(bytes[index] >> 4)
                    name[end + 2 + 2 * index] = Self.hexadecimal(bytes[index] & 15)
                }
            }
            _ = slim_name(pair.1, name.baseAddress!.assumingMemoryBound(to: CChar.self), name.count)
        }
        _ = slim_fcntl(pair.0, SLIM_F_SETFL, flags & SLIM_O_NONBLOCK)
        // pair.1 stays open for the life of the process: it is the other end that never says anything.
        return Kernel.replace(fd, with: pair.0)
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? digit + 48 : digit + 87 }
}
