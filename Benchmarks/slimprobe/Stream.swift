import Glibc

/// Long-lived connections through which bytes go to an echo server and back, each compared with what was sent.
struct Stream {
    private struct Connection {
        let descriptor: Int32
        /// Where in the pattern this connection begins: no two send the same.
        let phase: Int
        var sent = 0
        var received = 0
        var isOpen = true
    }

    /// Bytes on the way, per connection, at most.
    private static let window = 256 * 1024
    private static let most = 64 * 1024
    /// A prime: what is repeated or left out by whole blocks does not fit either.
    private static let period = 1_048_573

    private let pattern: [UInt8]
    private let bytesPerSecond: Int
    /// Bytes in one piece: with a rate, what keeps thousands of connections from sending that much at once.
    private let piece: Int
    private var connections: [Connection] = []
    private var buffer = [UInt8](repeating: 0, count: Stream.most)

    /// Runs for `--seconds`, with `--connections` that share `--rate` bytes per second (0: as fast as it goes).
    static func run(_ options: Options) throws(ProbeError) {
        raiseDescriptorLimit()
        var stream = try Stream(options)
        print("going")
        try stream.exchange(until: now() + UInt64(options.seconds) * 1_000_000_000)
        let bytes = stream.connections.map(\.received).reduce(0, +)
        print("{\"connections\": \(stream.connections.count), \"bytes\": \(bytes)}")
    }

    private init(_ options: Options) throws(ProbeError) {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        var pattern = (0..<Self.period).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 32)
        }
        // So that a piece that begins anywhere is one piece.
        pattern += pattern.prefix(Self.most)
        self.pattern = pattern
        bytesPerSecond = options.rate
        let share = options.rate / 2 / max(1, options.connections)
        piece = options.rate == 0 ? Self.most : min(Self.most, max(1, share))
        let target = try Target(options)
        for number in 0..<options.connections {
            let descriptor = try target.connect().descriptor
            try check("fcntl") { fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
            connections.append(Connection(descriptor: descriptor, phase: number * 7919 % Self.period))
        }
    }

    private mutating func exchange(until end: UInt64) throws(ProbeError) {
        let start = now()
        var sending = true
        while connections.contains(where: \.isOpen) {
            if sending, now() >= end {
                sending = false
                for connection in connections {
                    try check("shutdown") { shutdown(connection.descriptor, Int32(SHUT_WR)) }
                }
            }
            let sent = connections.map(\.sent).reduce(0, +)
            let elapsed = Int(now() - start)
            let isDue = bytesPerSecond == 0 || sent < elapsed / 1000 * bytesPerSecond / 1_000_000
            try wait(toSend: sending && isDue)
        }
    }

    /// One turn: whatever is ready is received, and sent where that is wanted.
    private mutating func wait(toSend: Bool) throws(ProbeError) {
        var polls = connections.map { connection in
            let mayWrite = toSend && connection.sent - connection.received < Self.window
            let events = Int16(POLLIN) | (mayWrite ? Int16(POLLOUT) : 0)
            return pollfd(fd: connection.isOpen ? connection.descriptor : -1, events: events, revents: 0)
        }
        let count = nfds_t(polls.count)
        try check("poll") { poll(&polls, count, 5) }
        for index in polls.indices {
            if polls[index].revents & ~Int16(POLLOUT) != 0 { try receive(index) }
            if polls[index].revents & Int16(POLLOUT) != 0 { try send(index) }
        }
    }

    private mutating func send(_ index: Int) throws(ProbeError) {
        let connection = connections[index]
        let offset = (connection.phase + connection.sent) % Self.period
        let room = min(piece, Self.window - (connection.sent - connection.received))
        let count = try check("write") {
            quiet(pattern.withUnsafeBytes { write(connection.descriptor, $0.baseAddress.map { $0 + offset }, room) })
        }
        connections[index].sent += count
    }

    private mutating func receive(_ index: Int) throws(ProbeError) {
        let connection = connections[index]
        let count = try check("read") { quiet(read(connection.descriptor, &buffer, buffer.count), end: -2) }
        if count == -2 { return try finish(index) }
        let offset = (connection.phase + connection.received) % Self.period
        let isSame = pattern.withUnsafeBytes { expected in
            buffer.withUnsafeBytes { got in
                guard let expected = expected.baseAddress, let got = got.baseAddress else { return count == 0 }
                return memcmp(expected + offset, got, count) == 0
            }
        }
        guard isSame else {
            throw ProbeError(
                message: "connection \(index): other bytes than were sent, near byte \(connection.received)",
                exitCode: 1)
        }
        connections[index].received += count
    }

    private mutating func finish(_ index: Int) throws(ProbeError) {
        let connection = connections[index]
        guard connection.received == connection.sent else {
            throw ProbeError(
                message: "connection \(index): ended after \(connection.received) of \(connection.sent) bytes",
                exitCode: 1)
        }
        close(connection.descriptor)
        connections[index].isOpen = false
    }

    /// A call that would have to wait has moved nothing; `end` stands for the end of a stream.
    private func quiet(_ result: Int, end: Int = 0) -> Int {
        if result == -1, errno == EAGAIN { return 0 }
        return result == 0 ? end : result
    }
}
