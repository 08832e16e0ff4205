internal import CSlimGuard
internal import FoundationEssentials
internal import SlimNetlink
internal import SlimRegistry
package import SlimSystem
package import SystemPackage

/// The guard of BPF programs, attached to the router's control group.
///
/// Programs, map and attachments are kept in a BPF file system in the router's directory: they outlive the router, and the
/// next one takes them over, replacing the programs by its own.
package final class BPFGuard: SocketGuard {
    package let kind = GuardKind.bpf
    package var holes: [String] { lsm == nil ? Self.unseen : [] }
    package var closedHoles: [String] { lsm == nil ? [] : Self.unseen.map { "\($0): refused by BPF LSM" } }

    /// What programs of a control group do not see.
    private static let unseen = [
        "socket options set by 32-bit system calls",
        "ioctls of the socket layer, which tell of the host's interfaces and give a handle on its namespace",
    ]

    private let group: ControlGroup
    private let object: BPFObject
    private let links: [(name: String, link: BPFLink)]
    private let lsm: LSMPrograms?

    /// The file of the compiled programs, beside the program that runs.
    package static func installedFile() throws(GuardError) -> String { try installedObject("slim_guard.bpf.o") }

    /// Puts the guard into force for the sockets that are made in the router's control group.
    ///
    /// - Parameters:
    ///   - directory: the router's own.
    ///   - file: the compiled programs; beside them are those for kernels with BPF LSM.
    package init(directory: String, file: String) throws(GuardError) {
        let kept = Self.keptObjects(in: directory)
        do {
            try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
            try systemCall { slim_mount_bpf(kept) }
        } catch {
            throw GuardError(
                .machine, "no BPF file system can be mounted on \(kept) (\(error)); run slimrouter as root")
        }
        group = try ControlGroup(ofRouterIn: directory)
        object = try BPFObject(file: file, directory: kept, group: group.id)
        let descriptor: OwnedDescriptor
        do throws(Errno) { descriptor = try openDirectory(group.path) } catch {
            throw GuardError(.machine, "\(group.path) cannot be opened", error)
        }
        var links: [(String, BPFLink)] = []
        for name in BPFObject.programs {
            let link = try object.attach(name, to: (descriptor.raw, group.id), keptAs: "\(kept)/\(name)")
            links.append((name, link))
        }
        self.links = links
        lsm = try? LSMPrograms(
            file: Self.folder(of: file) + LSMPrograms.file, directory: kept, tags: object.tags, group: group.id)
    }

    private static func folder(of file: String) -> String {
        file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    }

    /// Moves this process into the control group: sockets that it makes from now on are watched, and it is itself not
    /// restricted.
    package func enter() throws(GuardError) { try group.enter() }

    /// Looks whether a guarded socket that listens is out of reach, as it must be. This process must have entered the group.
    ///
    /// - Throws: on kernels before 6.1, whose programs cannot do that.
    func prove() throws(GuardError) {
        do throws(Errno) {
            let socket = try StreamSocket.open(.v4, nonblocking: true)
            let nowhere = Endpoint(.anyV4, Port(0))
            try tag(socket.raw, GuardTag(local: nowhere, peer: nowhere, generation: 0))
            try StreamSocket.listen(socket.raw, backlog: 1)
            if try StreamSocket.get(.interface, on: socket.raw) != CInt.max { throw .notSupported }
        } catch {
            throw GuardError(
                .machine, "the BPF guard does not keep sockets from listening here; Linux 6.1 or newer is needed", error
            )
        }
    }

    /// The path of the control group.
    package var groupPath: String { group.path }

    /// Takes the guard out of force, and what it keeps away. The router must be gone.
    package static func remove(directory: String) {
        let kept = keptObjects(in: directory)
        _ = slim_unmount(kept)
        _ = slim_remove_directory(kept)
        if let group = try? ControlGroup.path(ofRouterIn: directory) { _ = slim_remove_directory(group) }
    }

    /// Where a router's programs, map and attachments are kept.
    package static func keptObjects(in directory: String) -> String { "\(directory)/guard" }

    package func tag(_ fd: CInt, _ tag: GuardTag) throws(Errno) {
        let cTag = tag.cTag(fd: 0, cookie: 0)
        try systemCall {
            withUnsafeBytes(of: cTag) { slim_guard_option(fd, SLIM_BPF_LEVEL, SLIM_BPF_TAG, $0.baseAddress, $0.count) }
        }
    }

    package func canTag(_ fd: CInt) -> Bool {
        (try? systemCall { slim_guard_option(fd, SLIM_BPF_LEVEL, SLIM_BPF_WATCHED, nil, 0) }) != nil
    }

    package func revoke(_ cookies: Set<SocketCookie>) throws(GuardError) { try destroySockets(cookies) }

    package func tagged() throws(GuardError) -> Set<SocketCookie> {
        do throws(NetlinkError) { return try SocketDiagnostics().tagged(in: object.tags) } catch {
            throw GuardError(.machine, "guarded sockets cannot be listed", error.errno)
        }
    }

    package func check() throws(GuardError) {
        for (name, link) in links where (try? link.group) != group.id {
            throw GuardError(
                .dead, "somebody has detached the BPF guard's \(name); `slimctl secure enable` brings it back")
        }
    }
}
