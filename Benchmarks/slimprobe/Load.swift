import CSlimSystem
import Glibc

/// Requests on kept connections, at a given rate or as fast as they are answered; every answer is checked.
///
/// At a rate the load is open: requests are due at regular times, whether or not earlier ones have been answered, and
/// the time that one waits for a free connection counts.
struct Load {
    private struct Connection {
        let descriptor: Int32
        /// When the request under way was due.
        var start: UInt64 = 0
        var exchange = 0
        var received = 0
    }

    private static let mostAtOnce: Int32 = 64

    private let exchanges: [LoadProtocol.Exchange]
    private let epoll: Int32
    private let interval: UInt64
    private var connections: [Connection] = []
    private var idle: [Int] = []
    private var next = 0
    private var samples: Samples
    private var buffer = [UInt8](repeating: 0, count: 65536)
    private var events = [epoll_event](repeating: epoll_event(), count: Int(Load.mostAtOnce))

    /// `load PROTOCOL HOST PORT` for `--seconds` with `--connections` at `--rate` requests per second (0: all it can).
    static func run(_ options: Options) throws(ProbeError) {
        var options = options
        guard let name = options.takeFirst() else { throw .usage("load wants PROTOCOL HOST PORT") }
        var load = try Load(name, options)
        let start = now()
        try load.run(until: start + UInt64(options.seconds) * 1_000_000_000)
        print(load.samples.json(seconds: Double(now() - start) / 1e9))
    }

    private init(_ name: String, _ options: Options) throws(ProbeError) {
        let target = try Target(options)
        exchanges = try LoadProtocol(name, options.positional.first ?? "", target).exchanges
        epoll = try check("epoll_create1") { epoll_create1(O_CLOEXEC) }
        interval = options.rate == 0 ? 0 : 1_000_000_000 / UInt64(options.rate)
        samples = Samples(capacity: options.rate == 0 ? 1 << 20 : options.rate * options.seconds)
        for index in 0..<options.connections {
            let descriptor = try target.connect().descriptor
            setNoDelay(descriptor)
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u32: UInt32(index)))
            try check("epoll_ctl") { epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) }
            connections.append(Connection(descriptor: descriptor))
            idle.append(index)
        }
    }

    private mutating func run(until end: UInt64) throws(ProbeError) {
        var due = now()
        while true {
            var time = now()
            while time < end, due <= time, let index = idle.popLast() {
                try send(index, due: interval == 0 ? time : due)
                due += interval
                time = now()
            }
            if time >= end, idle.count == connections.count { return }
            // Nothing is due before the first answer when all connections are busy.
            let pause = idle.isEmpty || time >= end ? 1_000_000_000 : due > time ? due - time : 0
            try receive(atMost: pause)
        }
    }

    private mutating func send(_ index: Int, due: UInt64) throws(ProbeError) {
        let exchange = next
        next = next + 1 == exchanges.count ? 0 : next + 1
        connections[index].start = due
        connections[index].exchange = exchange
        connections[index].received = 0
        let descriptor = connections[index].descriptor
        let request = exchanges[exchange].request
        let count = try check("write") { write(descriptor, request, request.count) }
        guard count == request.count else { throw ProbeError(message: "write: not all at once", exitCode: 1) }
    }

    private mutating func receive(atMost pause: UInt64) throws(ProbeError) {
        var limit = timespec(tv_sec: Int(pause / 1_000_000_000), tv_nsec: Int(pause % 1_000_000_000))
        let count = try check("epoll_pwait2") { epoll_pwait2(epoll, &events, Self.mostAtOnce, &limit, nil) }
        for number in 0..<Int(count) { try receive(Int(events[number].data.u32)) }
    }

    private mutating func receive(_ index: Int) throws(ProbeError) {
        let connection = connections[index]
        let expected = exchanges[connection.exchange]
        let already = connection.received
        let count = try check("read") {
            buffer.withUnsafeMutableBytes {
                read(connection.descriptor, $0.baseAddress.map { $0 + already }, $0.count - already)
            }
        }
        guard count > 0 else { throw ProbeError(message: "read: the server has closed the connection", exitCode: 1) }
        // Answers are read into the same buffer: one that comes in pieces is waited for before any other is read.
        if already + count < expected.byteCount {
            connections[index].received = already + count
            return try receive(index)
        }
        guard already + count == expected.byteCount, buffer.starts(with: expected.beginning),
            buffer[..<expected.byteCount].suffix(expected.end.count).elementsEqual(expected.end)
        else {
            let text = String(decoding: buffer[..<(already + count)].prefix(200), as: UTF8.self)
            throw ProbeError(message: "not the answer that was expected: \(text.debugDescription)", exitCode: 1)
        }
        samples.append(now() - connection.start)
        idle.append(index)
    }
}
