internal import CBPF
internal import CSlimGuard
internal import FoundationEssentials
internal import SlimRegistry
internal import SlimSystem
internal import SystemPackage

/// Joins the two ends of connections within this host, where both programs have asked for it (`bpf/slim_pairs.bpf.c`).
///
/// The maps are kept in a BPF file system in the router's directory: with them, what is under way between joined sockets
/// would be lost.
package final class SocketPairs {
    private static let maps = ["slim_ends", "slim_others", "slim_suspended"]

    private let object: OpaquePointer
    private let program: CInt
    private let suspended: CInt

    /// Loads the programs. Maps of an earlier router are taken over.
    ///
    /// - Throws: when this kernel cannot, or does not bound what a reader that does not read is sent.
    package init(directory: String) throws(GuardError) {
        let file = try installedObject("slim_pairs.bpf.o")
        let kept = "\(directory)/pairs"
        do {
            try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
            try systemCall { slim_mount_bpf(kept) }
        } catch { throw GuardError(.machine, "no BPF file system can be mounted on \(kept) (\(error))") }
        libbpf_set_print(nil)
        guard let object = bpf_object__open_file(file, nil) else {
            throw GuardError(.missingFile, "\(file) cannot be read; install Slim again", .last)
        }
        self.object = object
        do throws(Errno) {
            for name in Self.maps {
                guard let map = bpf_object__find_map_by_name(object, name) else { throw .noSuchFileOrDirectory }
                if bpf_map__set_pin_path(map, "\(kept)/\(name)") != 0 { throw .last }
            }
            if bpf_object__load(object) != 0 { throw .last }
            let write = bpf_program__fd(bpf_object__find_program_by_name(object, "slim_write"))
            let ends = bpf_map__fd(bpf_object__find_map_by_name(object, "slim_ends"))
            if bpf_prog_attach(write, ends, BPF_SK_MSG_VERDICT, 0) != 0 { throw .last }
        } catch {
            bpf_object__close(object)
            throw GuardError(.machine, "the kernel does not load the programs that join sockets", error)
        }
        program = bpf_program__fd(bpf_object__find_program_by_name(object, "slim_join"))
        suspended = bpf_map__fd(bpf_object__find_map_by_name(object, "slim_suspended"))
        do throws(Errno) { try prove() } catch {
            throw GuardError(.machine, "joined sockets do not work as they should on this kernel", error)
        }
    }

    deinit { bpf_object__close(object) }

    /// Whether an earlier router has left maps.
    package static func areKept(in directory: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(directory)/pairs/\(maps[0])")
    }

    /// Joins a connection, given one of its ends. The other one is established, and in this network namespace.
    ///
    /// - Returns: whether it is joined; if not, TCP carries it as before.
    package func join(_ fd: CInt) -> Bool {
        guard let one = try? StreamSocket.localAddress(fd).endpoint,
            let other = try? StreamSocket.peerAddress(fd).endpoint,
            // The programs know sockets by their cookies, and cannot make one.
            (try? StreamSocket.cookie(fd)) != nil
        else { return false }
        var request = slim_pair_request()
        request.family = one.address.family.rawValue
        request.one = slim_pair_end(one)
        request.other = slim_pair_end(other)
        return withUnsafeBytes(of: request) { slim_join_pair(program, $0.baseAddress) }
            == CInt(SLIM_PAIR_JOINED.rawValue)
    }

    /// Has TCP carry everything from the next write on, or no longer.
    package func suspend(_ isSuspended: Bool) {
        var key: UInt32 = 0
        var value: UInt32 = isSuspended ? 1 : 0
        _ = bpf_map_update_elem(suspended, &key, &value, 0)
    }

    /// Whether the kernel counts what is queued for a reader: some do not, and a reader that does not read would take all
    /// memory. And whether bytes that went both ways keep their order.
    private func prove() throws(Errno) {
        let most = 16 << 20
        let listener = try StreamSocket.open(.v4, nonblocking: false)
        guard let loopback = KernelAddress(Endpoint(IPAddress(v4: (127, 0, 0, 1)), Port(0)), for: .v4) else { return }
        try StreamSocket.bind(listener.raw, to: loopback)
        try StreamSocket.listen(listener.raw, backlog: 1)
        let writer = try StreamSocket.open(.v4, nonblocking: false)
        try StreamSocket.connect(writer.raw, to: try StreamSocket.localAddress(listener.raw))
        _ = try StreamSocket.cookie(writer.raw)
        var peer = KernelAddress()
        guard let reader = try StreamSocket.accept(listener.raw, peer: &peer), join(reader.raw) else {
            throw .notSupported
        }
        var block = [UInt8](repeating: 0, count: 65521)
        for index in block.indices { block[index] = UInt8(truncatingIfNeeded: index / 251 &+ index) }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: block.count, alignment: 8)
        defer { room.deallocate() }
        var seen = 0
        // What went by TCP may still be on its way through the stack.
        func receive(until sent: Int) throws(Errno) {
            let deadline = ContinuousClock.now + .seconds(1)
            while seen < sent, ContinuousClock.now < deadline {
                guard let count = try StreamSocket.receive(reader.raw, into: room) else { continue }
                for index in 0..<count where room[index] != block[(seen + index) % block.count] { throw .badMessage }
                seen += count
            }
            guard seen == sent else { throw .timedOut }
        }
        // Before the first byte has been read TCP carries everything.
        var sent = try StreamSocket.send(writer.raw, [block[0]])
        try receive(until: sent)
        while sent < most {
            let rest = Array(block[(sent % block.count)...])
            do throws(Errno) { sent += try StreamSocket.send(writer.raw, rest) } catch {
                if error == .wouldBlock { break }
                throw error
            }
        }
        guard sent < most else { throw .noMemory }
        try receive(until: sent)
    }
}

extension slim_pair_end {
    fileprivate init(_ endpoint: Endpoint) {
        self.init()
        port = endpoint.port.rawValue.bigEndian
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: endpoint.address.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: endpoint.address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }
}
