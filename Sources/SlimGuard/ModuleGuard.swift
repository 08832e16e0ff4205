internal import CSlimGuard
package import SlimSystem
package import SystemPackage

/// The guard of the kernel module, by `/dev/slim`.
package final class ModuleGuard: SocketGuard {
    package let kind = GuardKind.module
    package let holes: [String] = []
    package let closedHoles: [String] = []

    private let device: OwnedDescriptor

    /// Opens the device, and loads the module where there is none.
    package init() throws(GuardError) {
        device = try KernelModule.device()
        var greeting = slim_guard_greeting()
        greeting.version = UInt32(SLIM_GUARD_VERSION)
        do throws(Errno) { try Self.ask(device.raw, SLIM_GUARD_GREET, &greeting) } catch {
            throw GuardError(
                .machine,
                "the loaded module slim speaks version \(greeting.version), this program version \(SLIM_GUARD_VERSION); "
                    + "unload it (`rmmod slim`) and install the one of this version", error)
        }
    }

    package func tag(_ fd: CInt, _ tag: GuardTag) throws(Errno) {
        var cTag = tag.cTag(fd: fd, cookie: try StreamSocket.cookie(fd).rawValue)
        try Self.ask(device.raw, SLIM_GUARD_TAG, &cTag)
    }

    package func canTag(_ fd: CInt) -> Bool { true }

    package func revoke(_ cookies: Set<SocketCookie>) throws(GuardError) {
        var rest = cookies.map { cookie in
            var item = slim_guard_revocation()
            item.cookie = cookie.rawValue
            item.fd = -1
            return item
        }[...]
        while !rest.isEmpty {
            let batch = UnsafeMutableBufferPointer<slim_guard_revocation>.allocate(
                capacity: min(rest.count, Int(SLIM_GUARD_BATCH)))
            defer { batch.deallocate() }
            _ = batch.initialize(from: rest.prefix(batch.count))
            rest = rest.dropFirst(batch.count)
            var request = slim_guard_revoke()
            request.items = UInt64(UInt(bitPattern: batch.baseAddress))
            request.count = UInt32(batch.count)
            do throws(Errno) { try Self.ask(device.raw, SLIM_GUARD_REVOKE, &request) } catch {
                throw GuardError(.dead, "the module slim does not revoke sockets", error)
            }
        }
        // Connections from before secure mode have no tag.
        try destroySockets(cookies)
    }

    package func tagged() throws(GuardError) -> Set<SocketCookie> {
        var found: Set<SocketCookie> = []
        var last: UInt64 = 0
        let entries = UnsafeMutableBufferPointer<slim_guard_entry>.allocate(capacity: Int(SLIM_GUARD_BATCH))
        entries.initialize(repeating: slim_guard_entry())
        defer { entries.deallocate() }
        while true {
            let count = try list(entries, after: last)
            for entry in entries[..<count] { found.insert(SocketCookie(rawValue: entry.cookie)) }
            guard count == entries.count, let entry = entries.last else { return found }
            last = entry.cookie
        }
    }

    private func list(_ entries: UnsafeMutableBufferPointer<slim_guard_entry>, after cookie: UInt64) throws(GuardError)
        -> Int
    {
        var request = slim_guard_list()
        request.after = cookie
        request.capacity = UInt32(entries.count)
        request.entries = UInt64(UInt(bitPattern: entries.baseAddress))
        do throws(Errno) { try Self.ask(device.raw, SLIM_GUARD_LIST, &request) } catch {
            throw GuardError(.dead, "the module slim does not list sockets", error)
        }
        return min(Int(request.count), entries.count)
    }

    /// The open device holds the module: it cannot go.
    package func check() throws(GuardError) {
        var statistics = slim_guard_statistics()
        do throws(Errno) { try Self.ask(device.raw, SLIM_GUARD_STATISTICS, &statistics) } catch {
            throw GuardError(.dead, "the module slim does not answer", error)
        }
    }

    private static func ask<Argument>(
        _ device: CInt, _ request: slim_guard_request, _ argument: inout Argument
    ) throws(Errno) {
        try withUnsafeMutableBytes(of: &argument) { bytes throws(Errno) in
            _ = try systemCall { slim_guard_ioctl(device, UInt(request.rawValue), bytes.baseAddress) }
        }
    }
}
