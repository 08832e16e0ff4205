internal import CSlimABI
internal import Crypto
internal import FoundationEssentials
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// The router's connection to its keeper. Used on one thread at a time.
///
/// When the keeper ends everything goes on, but until there is another listeners do not survive the router.
final class KeeperLink: Sendable {
    /// Shorter than programs wait for the router, which serves nobody meanwhile.
    private static let patience: Duration = .seconds(2)

    private let connection: OwnedDescriptor

    var descriptor: CInt { connection.raw }

    /// Connects to the keeper of a runtime directory, and starts it when there is none.
    init(directory: String) throws(RouterError) {
        let path = "\(directory)/keeper.sock"
        do throws(Errno) {
            if let connection = try? LocalSocket.connect(to: path) {
                self.connection = connection
            } else {
                try? FileManager.default.removeItem(atPath: path)
                try startDetached("/proc/self/exe", named: "slim-keeper", ["--keeper", path])
                connection = try Self.connect(to: path)
            }
            try LocalSocket.setTimeouts(connection.raw, Self.patience)
        } catch {
            throw RouterError("\(path): the keeper cannot be reached: \(error); end what is left of it and start again")
        }
    }

    private static func connect(to path: String) throws(Errno) -> OwnedDescriptor {
        for _ in 0..<200 {
            if let connection = try? LocalSocket.connect(to: path) { return connection }
            pause(.milliseconds(20))
        }
        return try LocalSocket.connect(to: path)
    }

    /// What an earlier router left and this one begins with: data ports and keys. Blocks until the keeper has answered.
    ///
    /// The keeper goes on serving the listeners. One of an earlier version does not, and hands them over now.
    func take() throws(RouterError) -> KeptState {
        do throws(Errno) { return try take(SLIM_KEEP_PORTS_AND_KEYS) } catch {
            throw RouterError("the keeper does not hand over what it keeps: \(error); end it and start again")
        }
    }

    /// The listeners, which the keeper serves no longer.
    func takeListeners() throws(Errno) -> [KeptState.Listener] { try take(SLIM_KEEP_LISTENERS).listeners }

    private func take(_ part: slim_keep_part) throws(Errno) -> KeptState {
        var state = KeptState()
        var originals: [UInt64: Handover] = [:]
        try LocalSocket.send(slim_kept(SLIM_KEEP_TAKE, id: UInt64(part.rawValue)), to: connection.raw, waiting: true)
        while true {
            var message = slim_kept()
            var received = try withUnsafeMutableBytes(of: &message) { bytes throws(Errno) in
                try LocalSocket.wait(from: connection.raw, into: bytes)
            }
            guard received.byteCount == MemoryLayout<slim_kept>.size else { throw .connectionReset }
            var descriptor: Handover?
            if let received = received.takeDescriptor() { descriptor = Handover(received) }
            switch (message.operation, descriptor) {
            case (SLIM_KEEP_ORIGINAL, let original?): originals[message.id] = original
            case (SLIM_KEEP_CHANNEL, let channel?):
                guard let original = originals.removeValue(forKey: message.id) else { continue }
                state.listeners.append(.init(description: message, original: original, channel: channel))
            case (SLIM_KEEP_PORT, let port?): state.ports[Port(UInt16(truncatingIfNeeded: message.id))] = port
            case (SLIM_KEEP_KEY, nil):
                let secret = withUnsafeBytes(of: message.secret) { Array($0) }
                state.keys.append(.init(id: message.id, peer: message.peerName, secret: secret))
            case (SLIM_KEEP_ARRIVAL, let connection?):
                state.arrivals.append(.init(preamble: message.readPreamble, connection: connection))
            case (SLIM_KEEP_END, nil):
                state.hasMore = message.id == UInt64(SLIM_KEEP_PORTS_AND_KEYS.rawValue)
                return state
            default: continue
            }
        }
    }

    func keep(_ listener: Listener) throws(Errno) {
        var message = slim_kept(SLIM_KEEP_ORIGINAL, id: listener.id)
        message.program_end = listener.programEnd.rawValue
        message.namespace_cookie = listener.container.namespace.rawValue
        message.endpoint = slim_address(listener.endpoint)
        message.family = UInt16(listener.family.rawValue)
        message.is_v6_only = listener.isV6Only ? 1 : 0
        try LocalSocket.send(message, to: connection.raw, passing: listener.original.raw, waiting: true)
        message.header.operation = UInt16(SLIM_KEEP_CHANNEL.rawValue)
        try LocalSocket.send(message, to: connection.raw, passing: listener.channel.raw, waiting: true)
    }

    func drop(listener id: UInt64) throws(Errno) {
        try LocalSocket.send(slim_kept(SLIM_KEEP_DROP, id: id), to: connection.raw, waiting: true)
    }

    /// Waits until the keeper has done all that it was told.
    func synchronise() throws(Errno) {
        try LocalSocket.send(slim_kept(SLIM_KEEP_SYNC), to: connection.raw, waiting: true)
        var message = slim_kept()
        let received = try withUnsafeMutableBytes(of: &message) { bytes throws(Errno) in
            try LocalSocket.wait(from: connection.raw, into: bytes)
        }
        guard received.byteCount == MemoryLayout<slim_kept>.size, message.operation == SLIM_KEEP_END else {
            throw .connectionReset
        }
    }

    func keep(_ port: DataPort) throws(Errno) {
        let message = slim_kept(SLIM_KEEP_PORT, id: UInt64(port.port.rawValue))
        try LocalSocket.send(message, to: connection.raw, passing: port.descriptor.raw, waiting: true)
    }

    func keep(key id: UInt64, of peer: String, _ key: SymmetricKey) throws(Errno) {
        var message = slim_kept(SLIM_KEEP_KEY, id: id)
        message.setPeerName(peer)
        withUnsafeMutableBytes(of: &message.secret) { room in
            key.withUnsafeBytes { room.copyBytes(from: $0.prefix(room.count)) }
        }
        try LocalSocket.send(message, to: connection.raw, waiting: true)
    }

    /// Ends a keeper that lives and does not answer: it would hold what it keeps, such as the ports of servers that have ended.
    func end() { killPeer(connection.raw) }
}
