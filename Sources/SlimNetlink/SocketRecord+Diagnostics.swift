internal import CMinimalNetlink
internal import SlimRegistry
internal import SlimSystem

extension SocketRecord {
    /// Converts the kernel's form.
    init?(_ message: inet_diag_msg, _ traffic: SocketTraffic?) {
        let family: IPAddress.Family
        switch CInt(message.idiag_family) {
        case AF_INET: family = .v4
        case AF_INET6: family = .v6
        default: return nil
        }
        let id = message.id
        guard let local = Self.address(id.idiag_src, family), let remote = Self.address(id.idiag_dst, family) else {
            return nil
        }
        self.init(
            cookie: SocketCookie(id.idiag_cookie),
            local: Endpoint(local, Port(UInt16(bigEndian: id.idiag_sport))),
            remote: Endpoint(remote, Port(UInt16(bigEndian: id.idiag_dport))),
            state: TCPStates(number: message.idiag_state), family: family, interface: id.idiag_if,
            inode: message.idiag_inode, uid: message.idiag_uid, traffic: traffic)
    }

    /// What names this very socket in a request.
    var request: inet_diag_req_v2 {
        var request = inet_diag_req_v2()
        request.sdiag_family = UInt8(family == .v4 ? AF_INET : AF_INET6)
        request.sdiag_protocol = UInt8(IPPROTO_TCP)
        request.idiag_states = TCPStates.all.rawValue
        request.id.idiag_sport = local.port.rawValue.bigEndian
        request.id.idiag_dport = remote.port.rawValue.bigEndian
        request.id.idiag_if = interface
        request.id.idiag_cookie = (
            UInt32(truncatingIfNeeded: cookie.rawValue), UInt32(truncatingIfNeeded: cookie.rawValue >> 32)
        )
        withUnsafeMutableBytes(of: &request.id.idiag_src) { $0.copyBytes(from: bytes(local.address)) }
        withUnsafeMutableBytes(of: &request.id.idiag_dst) { $0.copyBytes(from: bytes(remote.address)) }
        return request
    }

    /// The address as a socket of this family holds it: an IPv6 socket has IPv4 addresses in mapped form.
    private func bytes(_ address: IPAddress) -> [UInt8] {
        guard family == .v6, address.family == .v4 else { return address.bytes }
        return [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + address.bytes
    }

    private static func address<Words>(_ words: Words, _ family: IPAddress.Family) -> IPAddress? {
        withUnsafeBytes(of: words) { IPAddress(bytes: $0.prefix(family == .v4 ? 4 : 16)) }
    }
}

extension SocketCookie {
    /// Joins the halves that the kernel tells a cookie in.
    init(_ halves: (UInt32, UInt32)) {
        self.init(rawValue: UInt64(halves.1) << 32 | UInt64(halves.0))
    }
}
