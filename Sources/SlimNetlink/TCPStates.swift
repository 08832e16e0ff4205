internal import CMinimalNetlink

/// States of TCP sockets: one for a socket, several to choose sockets by.
package struct TCPStates: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The one state with the kernel's number, as `tcp_info` tells it.
    package init(number: UInt8) { rawValue = number < 32 ? 1 << UInt32(number) : 0 }

    package static let established = TCPStates(number: UInt8(TCP_ESTABLISHED))
    package static let synSent = TCPStates(number: UInt8(TCP_SYN_SENT))
    package static let synReceived = TCPStates(number: UInt8(TCP_SYN_RECV))
    package static let finWait1 = TCPStates(number: UInt8(TCP_FIN_WAIT1))
    package static let finWait2 = TCPStates(number: UInt8(TCP_FIN_WAIT2))
    package static let timeWait = TCPStates(number: UInt8(TCP_TIME_WAIT))
    package static let closed = TCPStates(number: UInt8(TCP_CLOSE))
    package static let closeWait = TCPStates(number: UInt8(TCP_CLOSE_WAIT))
    package static let lastAck = TCPStates(number: UInt8(TCP_LAST_ACK))
    package static let listening = TCPStates(number: UInt8(TCP_LISTEN))
    package static let closing = TCPStates(number: UInt8(TCP_CLOSING))
    /// Every state in which bytes may still pass.
    package static let connections: TCPStates = [
        .established, .synSent, .synReceived, .finWait1, .finWait2, .closeWait, .lastAck, .closing,
    ]
    package static let all = TCPStates(rawValue: .max)
}
