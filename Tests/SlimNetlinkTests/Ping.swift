import Glibc
import SlimRegistry
import SlimSystem
import SystemPackage

/// Sends an ICMP echo request from inside a namespace, up to three times.
///
/// - Parameter dataBytes: how much data it carries; it is never fragmented.
/// - Returns: whether the address itself answered.
func ping(
    _ destination: IPAddress, from namespace: TestNamespace, dataBytes: Int = 56
) throws -> Bool {
    try namespace.run {
        let isV4 = destination.family == .v4
        let socket = OwnedDescriptor(
            try systemCall {
                Glibc.socket(
                    isV4 ? AF_INET : AF_INET6, CInt(SOCK_RAW.rawValue) | O_CLOEXEC,
                    isV4 ? CInt(IPPROTO_ICMP) : 58)
            })
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(socket.raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var never = isV4 ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO
        setsockopt(
            socket.raw, CInt(isV4 ? IPPROTO_IP : 41), isV4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &never,
            socklen_t(MemoryLayout<CInt>.size))
        let connected = Endpoint(destination, Port(0)).withSocketAddress { connect(socket.raw, $0, $1) }
        guard connected == 0 else { return false }
        let request: [UInt8] = [isV4 ? 8 : 128, 0, 0, 0, 0x51, 0x1a, 0, 1] + [UInt8](repeating: 0x5a, count: dataBytes)
        let message = isV4 ? withChecksum(request) : request
        for _ in 0..<3 {
            guard send(socket.raw, message, message.count, 0) == message.count else { continue }
            while true {
                var answer = [UInt8](repeating: 0, count: 65536)
                let count = recv(socket.raw, &answer, answer.count, 0)
                guard count > 0 else { break }
                let body = answer[(isV4 ? 20 : 0)..<count]
                if body.first == (isV4 ? 0 : 129), body.dropFirst(4).elementsEqual(message.dropFirst(4)) { return true }
            }
        }
        return false
    }
}

/// An ICMP message with its checksum.
func withChecksum(_ message: [UInt8]) -> [UInt8] {
    var message = message
    let sum = checksum(message)
    (message[2], message[3]) = (UInt8(sum >> 8), UInt8(sum & 255))
    return message
}

/// The checksum of the Internet protocols.
func checksum(_ message: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: message.count, by: 2) {
        sum += UInt32(message[index]) << 8 | (index + 1 < message.count ? UInt32(message[index + 1]) : 0)
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(truncatingIfNeeded: sum)
}
