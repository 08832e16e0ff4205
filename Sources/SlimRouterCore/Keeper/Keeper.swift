internal import CSlimABI
internal import Glibc
internal import SlimRegistry
internal import SlimSystem
package import SystemPackage

/// The small process that outlives the router: it holds the containers' listening sockets, the router's ends of their
/// accept channels, and the data ports, and hands them to each new router.
///
/// Until a router takes the listeners it serves them itself, as far as that needs no policy: connections that arrive by
/// the packet overlay go into their accept channels, and what a program closes is let go. What has arrived at the data ports
/// waits for the next router, and is reset when none comes. It ends when there has been nothing to keep, and no router, for a
/// minute.
package final class Keeper {
    private struct Kept {
        var description: slim_kept
        var original: CInt = -1
        var channel: CInt = -1
        /// Connections that the channel had no room for.
        var waiting: [(connection: CInt, message: slim_accept)] = []
        /// No router has it.
        var isServed = false

        var isComplete: Bool { original >= 0 && channel >= 0 }
    }

    private enum Event {
        static let door: UInt64 = 0
        static let router: UInt64 = 1
        static let original: UInt64 = 2
        static let channel: UInt64 = 3
    }

    private static let patience: Duration = .seconds(60)
    private static let mostArrivals = 256
    private static let pause: Duration = .seconds(1)

    /// How long connections at the data ports wait for a router.
    private let portPatience: Duration
    private let door: OwnedDescriptor
    private let epoll: Epoll
    private var router: OwnedDescriptor?
    private var listeners: [UInt64: Kept] = [:]
    private var ports: [UInt64: (description: slim_kept, descriptor: CInt)] = [:]
    private var keys: [UInt64: slim_kept] = [:]
    /// Connections that the last router had accepted and not yet given to a program.
    private var arrivals: [(message: slim_kept, descriptor: CInt)] = []
    /// When connections at the data ports have waited for long enough; `nil` while there is a router.
    private var portsDue: ContinuousClock.Instant?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: MemoryLayout<slim_kept>.size, alignment: MemoryLayout<slim_kept>.alignment)

    /// Listens at a path, which must be free.
    ///
    /// - Parameter portPatience: longer than a router takes to start on a busy machine.
    package init(path: String, portPatience: Duration = .seconds(15)) throws(Errno) {
        self.portPatience = portPatience
        door = try LocalSocket.listener(at: path)
        chmod(path, 0o600)
        epoll = try Epoll()
        try epoll.add(door.raw, .read, token: Event.door)
    }

    deinit {
        buffer.deallocate()
        for id in listeners.keys { forget(id) }
        for port in ports.values { _ = OwnedDescriptor(port.descriptor) }
        for arrival in arrivals { _ = OwnedDescriptor(arrival.descriptor) }
    }

    /// Serves until there is nothing left to keep.
    package func run() throws(Errno) {
        var idleSince = ContinuousClock.now
        while true {
            let isIdle = router == nil && listeners.isEmpty
            if !isIdle { idleSince = .now }
            if isIdle, idleSince + Self.patience <= .now { return }
            _ = try epoll.wait(timeout(isIdle)) { token, interest in handle(token, interest) }
            if let due = portsDue, due <= .now { turnAway() }
        }
    }

    private func timeout(_ isIdle: Bool) -> Duration? {
        if let due = portsDue { return max(.zero, ContinuousClock.now.duration(to: due)) }
        return isIdle ? .seconds(5) : nil
    }

    private func handle(_ token: UInt64, _ interest: Epoll.Interest) {
        switch token & 3 {
        case Event.door: admit()
        case Event.router: if router != nil { hear() }
        case Event.original: feed(token >> 2)
        default: interest.contains(.hangUp) ? forget(token >> 2) : resume(token >> 2)
        }
    }

    // MARK: The router

    /// The newest router is the one that counts, once the older one has been heard out.
    private func admit() {
        guard let connection = try? LocalSocket.accept(door.raw), peerUser(connection.raw) == geteuid() else { return }
        hear()
        if let old = router.take() { epoll.remove(old.raw) }
        guard (try? epoll.add(connection.raw, .read, token: Event.router)) != nil else { return }
        if (try? LocalSocket.setSendBuffer(connection.raw, bytes: 1 << 20, beyondLimit: true)) == nil { return }
        router = consume connection
        portsDue = nil
    }

    private func hear() {
        guard let raw = router?.raw else { return }
        do throws(Errno) {
            while var received = try LocalSocket.receive(from: raw, into: buffer) {
                guard received.byteCount == buffer.count else { return dismissRouter() }
                let message = buffer.load(as: slim_kept.self)
                obey(message, received.takeDescriptor())
            }
        } catch { dismissRouter() }
    }

    private func obey(_ message: slim_kept, _ descriptor: consuming OwnedDescriptor?) {
        switch (message.operation, descriptor?.raw) {
        case (SLIM_KEEP_ORIGINAL, let raw?):
            forget(message.id)
            listeners[message.id, default: Kept(description: message)].original = raw
        case (SLIM_KEEP_CHANNEL, let raw?):
            listeners[message.id, default: Kept(description: message)].channel = raw
        case (SLIM_KEEP_PORT, let raw?):
            if let old = ports.updateValue((message, raw), forKey: message.id) { _ = OwnedDescriptor(old.descriptor) }
        case (SLIM_KEEP_ARRIVAL, let raw?):
            if message.id != 0 {
                guard deliver(raw, to: message.id) else { return }
            } else {
                guard arrivals.count < Self.mostArrivals else { return }
                arrivals.append((message, raw))
            }
        case (SLIM_KEEP_KEY, nil):
            if keys.count >= 4096 { keys = [:] }
            keys[message.id] = message
            return
        case (SLIM_KEEP_DROP, nil): return forget(message.id)
        case (SLIM_KEEP_TAKE, nil): return handOver(slim_keep_part(UInt32(truncatingIfNeeded: message.id)))
        case (SLIM_KEEP_SYNC, nil): return confirm()
        default: return
        }
        // The table owns it now.
        _ = descriptor.take()?.release()
    }

    private func confirm() {
        guard let raw = router?.raw else { return }
        do throws(Errno) { try LocalSocket.send(slim_kept(SLIM_KEEP_END), to: raw, waiting: true) } catch {
            dismissRouter()
        }
    }

    private func handOver(_ part: slim_keep_part) {
        guard let raw = router?.raw else { return }
        do throws(Errno) {
            if part != SLIM_KEEP_PORTS_AND_KEYS { try handOverListeners(to: raw) }
            if part != SLIM_KEEP_LISTENERS { try handOverPortsAndKeys(to: raw) }
            try LocalSocket.send(slim_kept(SLIM_KEEP_END, id: UInt64(part.rawValue)), to: raw, waiting: true)
        } catch { dismissRouter() }
    }

    private func handOverListeners(to router: CInt) throws(Errno) {
        for (id, kept) in listeners where kept.isComplete {
            rest(id)
            var message = kept.description
            message.header.operation = UInt16(SLIM_KEEP_ORIGINAL.rawValue)
            try LocalSocket.send(message, to: router, passing: kept.original, waiting: true)
            message.header.operation = UInt16(SLIM_KEEP_CHANNEL.rawValue)
            try LocalSocket.send(message, to: router, passing: kept.channel, waiting: true)
        }
    }

    /// What the new router goes on using it gives back; keys only serve what was on the way when the last ended.
    private func handOverPortsAndKeys(to router: CInt) throws(Errno) {
        for port in ports.values {
            try LocalSocket.send(port.description, to: router, passing: port.descriptor, waiting: true)
        }
        for key in keys.values { try LocalSocket.send(key, to: router, waiting: true) }
        for arrival in arrivals {
            try LocalSocket.send(arrival.message, to: router, passing: arrival.descriptor, waiting: true)
        }
        for port in ports.values { _ = OwnedDescriptor(port.descriptor) }
        for arrival in arrivals { _ = OwnedDescriptor(arrival.descriptor) }
        ports = [:]
        arrivals = []
        keys = [:]
    }

    /// Without a router the keeper serves.
    private func dismissRouter() {
        guard let gone = router.take() else { return }
        epoll.remove(gone.raw)
        portsDue = .now + portPatience
        for (id, kept) in listeners {
            if kept.isComplete { work(id) } else { forget(id) }
        }
    }

    /// No router has come. Other hosts have noticed by now; who connected before they did shall not wait for ever.
    private func turnAway() {
        portsDue = .now + Self.pause
        for arrival in arrivals {
            StreamSocket.resetOnClose(arrival.descriptor)
            _ = OwnedDescriptor(arrival.descriptor)
        }
        arrivals = []
        for port in ports.values {
            var peer = KernelAddress()
            while let connection = try? StreamSocket.accept(port.descriptor, peer: &peer) {
                StreamSocket.resetOnClose(connection.raw)
            }
        }
    }

    // MARK: Listeners

    private func work(_ id: UInt64) {
        guard let kept = listeners[id], !kept.isServed else { return }
        listeners[id]?.isServed = true
        try? epoll.add(kept.original, kept.waiting.isEmpty ? .read : [], token: id << 2 | Event.original)
        // What waits for room has it there already.
        if kept.waiting.isEmpty { try? epoll.add(kept.channel, [], token: id << 2 | Event.channel) }
    }

    /// Accepts nothing more; what waits for room in the channel still goes there.
    private func rest(_ id: UInt64) {
        guard let kept = listeners[id] else { return }
        listeners[id]?.isServed = false
        epoll.remove(kept.original)
        if kept.waiting.isEmpty { epoll.remove(kept.channel) }
    }

    /// Takes one connection out of the listening socket's backlog and puts it into the channel.
    private func feed(_ id: UInt64) {
        guard let kept = listeners[id], kept.waiting.isEmpty else { return }
        do throws(Errno) {
            guard let plain = try AcceptChannel.acceptPlain(kept.original) else { return }
            let message = plain.message
            let connection = plain.takeConnection()
            do throws(Errno) { try LocalSocket.send(message, to: kept.channel, passing: connection.raw) } catch {
                guard error == .wouldBlock else { return forget(id) }
                hold(connection.release(), message, of: id)
            }
        } catch { epoll.remove(kept.original) }
    }

    /// Gives a program a connection that the last router had taken out of the backlog.
    ///
    /// - Returns: whether the connection is kept until there is room for it.
    private func deliver(_ connection: CInt, to id: UInt64) -> Bool {
        guard let kept = listeners[id], kept.isComplete, kept.waiting.count < Self.mostArrivals,
            let message = AcceptChannel.plainMessage(of: connection)
        else { return false }
        do throws(Errno) {
            guard kept.waiting.isEmpty else { throw .wouldBlock }
            try LocalSocket.send(message, to: kept.channel, passing: connection)
            return false
        } catch {
            guard error == .wouldBlock else { return false }
            hold(connection, message, of: id)
            return true
        }
    }

    /// The channel has no room: nothing more is accepted until it has.
    private func hold(_ connection: CInt, _ message: slim_accept, of id: UInt64) {
        guard let kept = listeners[id] else { return }
        listeners[id]?.waiting.append((connection, message))
        if kept.isServed {
            try? epoll.change(kept.original, [], token: id << 2 | Event.original)
            try? epoll.change(kept.channel, .write, token: id << 2 | Event.channel)
        } else if kept.waiting.isEmpty {
            try? epoll.add(kept.channel, .write, token: id << 2 | Event.channel)
        }
    }

    private func resume(_ id: UInt64) {
        guard let kept = listeners[id], let next = kept.waiting.first else { return }
        do throws(Errno) {
            try LocalSocket.send(next.message, to: kept.channel, passing: next.connection)
            _ = OwnedDescriptor(next.connection)
            listeners[id]?.waiting.removeFirst()
            guard kept.waiting.count == 1 else { return }
            guard kept.isServed else { return epoll.remove(kept.channel) }
            try epoll.change(kept.channel, [], token: id << 2 | Event.channel)
            try epoll.change(kept.original, .read, token: id << 2 | Event.original)
        } catch { if error != .wouldBlock { forget(id) } }
    }

    private func forget(_ id: UInt64) {
        guard let kept = listeners.removeValue(forKey: id) else { return }
        for raw in [kept.original, kept.channel] + kept.waiting.map(\.connection) where raw >= 0 {
            epoll.remove(raw)
            _ = OwnedDescriptor(raw)
        }
    }
}
