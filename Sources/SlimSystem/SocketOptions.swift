internal import Glibc

/// The options of a TCP socket that an application may have set and that its host socket must then have as well.
///
/// Left out on purpose: what concerns the container's own network (SO_BINDTODEVICE, SO_MARK, SO_PRIORITY, IP_TRANSPARENT),
/// what `bind` needs (SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY), and what only the container's routing knows.
package struct SocketOptions: Sendable {
    private struct Name: Sendable {
        let level: CInt
        let option: CInt
        /// The kernel doubles the value it is given, and takes more than the limit only by this option.
        var forced: CInt?
    }

    private struct Value: Sendable, Equatable {
        var bytes: InlineArray<16, UInt8> = .init(repeating: 0)
        var length: UInt32 = 16

        static func == (a: Value, b: Value) -> Bool {
            guard a.length == b.length else { return false }
            for index in 0..<16 where a.bytes[index] != b.bytes[index] { return false }
            return true
        }
    }

    private static let tcp = CInt(IPPROTO_TCP)
    private static let common: [Name] = [
        Name(level: SOL_SOCKET, option: SO_KEEPALIVE), Name(level: SOL_SOCKET, option: SO_LINGER),
        Name(level: SOL_SOCKET, option: SO_OOBINLINE),
        Name(level: SOL_SOCKET, option: SO_RCVBUF, forced: SO_RCVBUFFORCE),
        Name(level: SOL_SOCKET, option: SO_SNDBUF, forced: SO_SNDBUFFORCE),
        Name(level: SOL_SOCKET, option: SO_RCVLOWAT), Name(level: SOL_SOCKET, option: SO_RCVTIMEO),
        Name(level: SOL_SOCKET, option: SO_SNDTIMEO), Name(level: SOL_SOCKET, option: SO_ZEROCOPY),
        Name(level: SOL_SOCKET, option: SO_BUSY_POLL), Name(level: SOL_SOCKET, option: SO_MAX_PACING_RATE),
        Name(level: tcp, option: TCP_NODELAY), Name(level: tcp, option: TCP_CORK), Name(level: tcp, option: TCP_MAXSEG),
        Name(level: tcp, option: TCP_KEEPIDLE), Name(level: tcp, option: TCP_KEEPINTVL),
        Name(level: tcp, option: TCP_KEEPCNT), Name(level: tcp, option: TCP_SYNCNT),
        Name(level: tcp, option: TCP_LINGER2),
        Name(level: tcp, option: TCP_WINDOW_CLAMP), Name(level: tcp, option: TCP_CONGESTION),
        Name(level: tcp, option: TCP_USER_TIMEOUT), Name(level: tcp, option: TCP_NOTSENT_LOWAT),
        Name(level: CInt(IPPROTO_IP), option: IP_TOS), Name(level: CInt(IPPROTO_IP), option: IP_TTL),
    ]
    private static let v6Only: [Name] = [
        Name(level: CInt(IPPROTO_IPV6), option: IPV6_TCLASS),
        Name(level: CInt(IPPROTO_IPV6), option: IPV6_UNICAST_HOPS),
    ]

    private let family: KernelAddress.Family
    private var values: [(index: Int, value: Value)]

    private static func names(_ family: KernelAddress.Family) -> [Name] { family == .v4 ? common : common + v6Only }

    /// Reads every option of a socket. The corresponding C function is `getsockopt`.
    package init(of fd: CInt, family: KernelAddress.Family) {
        self.family = family
        values = []
        for (index, name) in Self.names(family).enumerated() {
            var value = Value()
            let code = withUnsafeMutableBytes(of: &value.bytes) {
                getsockopt(fd, name.level, name.option, $0.baseAddress, &value.length)
            }
            if code == 0 { values.append((index, value)) }
        }
    }

    /// Only what differs from the options of another socket: a new one, say.
    package func changed(from defaults: SocketOptions) -> SocketOptions {
        var result = self
        result.values = values.filter { entry in
            !defaults.values.contains { $0.index == entry.index && $0.value == entry.value }
        }
        return result
    }

    package var isEmpty: Bool { values.isEmpty }

    /// Sets the options on another socket of the same family. What the kernel refuses is left as it is.
    ///
    /// The corresponding C function is `setsockopt`.
    package func apply(to fd: CInt) {
        let names = Self.names(family)
        for (index, value) in values {
            let name = names[index]
            var bytes = value.bytes
            withUnsafeMutableBytes(of: &bytes) { raw in
                if let forced = name.forced {
                    raw.storeBytes(of: raw.load(as: CInt.self) / 2, as: CInt.self)
                    _ = setsockopt(fd, name.level, forced, raw.baseAddress, value.length)
                } else {
                    _ = setsockopt(fd, name.level, name.option, raw.baseAddress, value.length)
                }
            }
        }
    }
}
