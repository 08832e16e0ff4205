internal import CBPF
internal import CSlimGuard
internal import SlimSystem
internal import SystemPackage

/// The guard's programs and map, loaded from `slim_guard.bpf.o`.
///
/// Sendable because nothing changes after loading but by the kernel.
final class BPFObject: @unchecked Sendable {
    /// The programs, which are called as the file systems' names of their links are.
    static let programs = [
        "slim_setsockopt", "slim_getsockopt", "slim_connect4", "slim_connect6", "slim_bind4", "slim_bind6",
        "slim_getsockname4", "slim_getsockname6", "slim_getpeername4", "slim_getpeername6", "slim_sockops",
    ]
    static let map = "slim_tags"

    private let object: OpaquePointer

    /// Loads programs and map into the kernel. A map of an earlier router is taken over, with all tags.
    ///
    /// - Parameters:
    ///   - file: the compiled programs.
    ///   - directory: of a BPF file system, where the map is kept.
    ///   - group: whose members are not restricted.
    init(file: String, directory: String, group: UInt64) throws(GuardError) {
        // What libbpf has to say goes nowhere: the error below says it in words.
        libbpf_set_print(nil)
        guard let object = bpf_object__open_file(file, nil) else {
            let code = Errno.last
            throw GuardError(
                .missingFile, "\(file): the programs of the BPF guard cannot be read; install Slim again", code)
        }
        self.object = object
        do throws(Errno) {
            try Self.configure(object, directory: directory, group: group)
            if bpf_object__load(object) != 0 { throw .last }
        } catch {
            bpf_object__close(object)
            throw GuardError(
                .machine, "the kernel does not load the BPF guard (\(Self.advice(error))), or use the kernel module",
                error)
        }
    }

    deinit { bpf_object__close(object) }

    private static func configure(_ object: OpaquePointer, directory: String, group: UInt64) throws(Errno) {
        guard let tags = bpf_object__find_map_by_name(object, map),
            let constants = bpf_object__find_map_by_name(object, ".rodata")
        else { throw .noSuchFileOrDirectory }
        if bpf_map__set_pin_path(tags, "\(directory)/\(map)") != 0 { throw .last }
        var group = group
        if bpf_map__set_initial_value(constants, &group, MemoryLayout<UInt64>.size) != 0 { throw .last }
    }

    private static func advice(_ code: Errno) -> String {
        switch code {
        case .notPermitted, .permissionDenied:
            "run slimrouter as root with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and without lockdown=confidentiality"
        case .noFunction: "it was built without CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF"
        default: "Linux 6.1 or newer with CONFIG_CGROUP_BPF is needed"
        }
    }

    /// The map's descriptor; borrowed.
    var tags: CInt { bpf_map__fd(bpf_object__find_map_by_name(object, Self.map)) }

    /// Has a program run for a control group's sockets from now on, and keeps it running when this process ends.
    ///
    /// What runs already, of an earlier router, is replaced in one step.
    func attach(_ name: String, to group: (descriptor: CInt, id: UInt64), keptAs path: String) throws(GuardError)
        -> BPFLink
    {
        do throws(Errno) {
            guard let program = bpf_object__find_program_by_name(object, name) else { throw .noSuchFileOrDirectory }
            if let link = BPFLink(path) {
                let attached = (try? link.group) ?? 0
                if attached == group.id, bpf_link__update_program(link.pointer, program) == 0 { return link }
                // A group that somebody has removed: its sockets live on, and stay guarded by the programs of then. The
                // file system takes no dots in names.
                let isKept = attached != 0 && attached != group.id
                if !isKept || (try? moveFile(path, to: "\(path)_\(attached)")) == nil { link.remove() }
            }
            guard let pointer = bpf_program__attach_cgroup(program, group.descriptor) else { throw .last }
            let link = BPFLink(pointer)
            if bpf_link__pin(pointer, path) != 0 { throw .last }
            return link
        } catch {
            throw GuardError(.machine, "the BPF guard's \(name) cannot be attached", error)
        }
    }
}

/// A program's attachment to a control group. Closing it leaves what is pinned in force.
///
/// Sendable because libbpf only reads it after it was made.
final class BPFLink: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    /// Opens a kept one.
    init?(_ path: String) {
        guard let pointer = bpf_link__open(path) else { return nil }
        self.pointer = pointer
    }

    deinit { bpf_link__destroy(pointer) }

    /// The number of the group that it is attached to; 0 when it no longer is.
    var group: UInt64 {
        get throws(Errno) {
            var group: UInt64 = 0
            try systemCall { slim_link_group(bpf_link__fd(pointer), &group) }
            return group
        }
    }

    func remove() { bpf_link__unpin(pointer) }
}
