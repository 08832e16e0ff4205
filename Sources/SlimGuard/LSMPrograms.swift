internal import CBPF
internal import CSlimGuard
internal import SlimSystem
internal import SystemPackage

/// The programs that see what the BPF guard's others do not, on kernels that run BPF programs as a security module (LSM).
///
/// Sendable because nothing changes after loading but by the kernel.
final class LSMPrograms: @unchecked Sendable {
    static let file = "slim_guard_lsm.bpf.o"

    private let object: OpaquePointer
    private var links: [BPFLink] = []

    /// Puts the programs into force, in the place of an earlier router's.
    ///
    /// - Parameters:
    ///   - file: the compiled programs.
    ///   - directory: of a BPF file system, where the attachments are kept.
    ///   - tags: the guard's map.
    ///   - group: whose members are not restricted.
    /// - Throws: where the kernel does not take them, or takes them and does not run them.
    init(file: String, directory: String, tags: CInt, group: UInt64) throws(Errno) {
        guard let object = bpf_object__open_file(file, nil) else { throw .last }
        self.object = object
        try configure(tags, group)
        if bpf_object__load(object) != 0 { throw .last }
        var next = bpf_object__next_program(object, nil)
        while let program = next {
            if bpf_program__autoload(program) { try attach(program, keptIn: directory) }
            next = bpf_object__next_program(object, program)
        }
        guard try Self.areRun(group) else { throw .notSupported }
    }

    deinit { bpf_object__close(object) }

    private func configure(_ tags: CInt, _ group: UInt64) throws(Errno) {
        guard let map = bpf_object__find_map_by_name(object, BPFObject.map),
            let constants = bpf_object__find_map_by_name(object, ".rodata"),
            let compat = bpf_object__find_program_by_name(object, "slim_lsm_compat")
        else { throw .noSuchFileOrDirectory }
        var group = group
        if bpf_map__reuse_fd(map, tags) != 0
            || bpf_map__set_initial_value(constants, &group, MemoryLayout<UInt64>.size) != 0
        {
            throw .last
        }
        // Before Linux 6.8, and what was corrected like it, 32-bit ioctls are asked about as all others.
        if libbpf_find_vmlinux_btf_id("file_ioctl_compat", BPF_LSM_MAC) < 0 {
            bpf_program__set_autoload(compat, false)
        }
    }

    /// Has a program run from now on, and keeps it running when this process ends. An earlier router's does so until then.
    private func attach(_ program: OpaquePointer, keptIn directory: String) throws(Errno) {
        guard let link = bpf_program__attach_lsm(program) else { throw .last }
        links.append(BPFLink(link))
        let path = "\(directory)/\(String(cString: bpf_program__name(program)))"
        // The file system takes no dots in names.
        let new = "\(path)_new"
        BPFLink(new)?.remove()
        if bpf_link__pin(link, new) != 0 { throw .last }
        try moveFile(new, to: path)
    }

    /// Whether the kernel has been told to run such programs (`lsm=` on its command line): the programs answer.
    private static func areRun(_ group: UInt64) throws(Errno) -> Bool {
        let socket = try StreamSocket.open(.v4, nonblocking: true)
        let option = CInt(truncatingIfNeeded: group)
        return isCancelled { slim_guard_option(socket.raw, SLIM_BPF_LSM_LEVEL, option, nil, 0) }
            && isCancelled {
                slim_guard_ioctl(
                    socket.raw, UInt(SLIM_BPF_LSM_CONTROL), UnsafeMutableRawPointer(bitPattern: UInt(group)))
            }
    }

    private static func isCancelled(_ call: () -> CInt) -> Bool {
        do throws(Errno) {
            _ = try systemCall(call)
            return false
        } catch { return error == .canceled }
    }
}
