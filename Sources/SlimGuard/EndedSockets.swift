internal import CBPF
package import SlimSystem
internal import SystemPackage

/// Tells when TCP sockets of one network namespace cease to exist, by a BPF program (`bpf/slim_ends.bpf.c`): what
/// `DestroyEvents` does where the kernel takes no such program, without the wake-up of a kernel thread for each socket.
///
/// Only sockets whose cookie somebody has asked for are told of.
package final class EndedSockets {
    /// For epoll: readable when there are ends.
    package let descriptor: CInt
    private let object: OpaquePointer
    private let link: OpaquePointer
    private let ring: OpaquePointer
    private let counts: CInt
    private var lostBefore: UInt64 = 0
    private let taken = Taken()

    private final class Taken {
        var cookies: [UInt64] = []
    }

    /// Begins to listen.
    ///
    /// - Throws: when this kernel does not take the program, or it is not installed.
    package init(in namespace: NamespaceCookie) throws(GuardError) {
        let file = try installedObject("slim_ends.bpf.o")
        libbpf_set_print(nil)
        guard let object = bpf_object__open_file(file, nil) else {
            throw GuardError(.missingFile, "\(file) cannot be read; install Slim again", .last)
        }
        var link: OpaquePointer?
        do throws(Errno) {
            var cookie = namespace.rawValue
            guard let constants = bpf_object__find_map_by_name(object, ".rodata"),
                bpf_map__set_initial_value(constants, &cookie, MemoryLayout<UInt64>.size) == 0,
                bpf_object__load(object) == 0
            else { throw .last }
            link = bpf_program__attach(bpf_object__find_program_by_name(object, "slim_end"))
            let unretained = Unmanaged.passUnretained(taken).toOpaque()
            let map = bpf_map__fd(bpf_object__find_map_by_name(object, "slim_ended"))
            guard let link, let ring = ring_buffer__new(map, Self.take, unretained, nil) else { throw .last }
            self.object = object
            self.link = link
            self.ring = ring
            descriptor = map
            counts = bpf_map__fd(bpf_object__find_map_by_name(object, ".bss"))
        } catch {
            if let link { bpf_link__destroy(link) }
            bpf_object__close(object)
            throw GuardError(.machine, "the kernel does not load the program that tells the ends of sockets", error)
        }
        taken.cookies.reserveCapacity(1024)
    }

    deinit {
        ring_buffer__free(ring)
        bpf_link__destroy(link)
        bpf_object__close(object)
    }

    /// Takes all ends that wait. Never blocks.
    ///
    /// - Returns: whether others were lost before: compare with a dump.
    package func drain(_ body: (SocketCookie) -> Void) -> Bool {
        taken.cookies.removeAll(keepingCapacity: true)
        _ = ring_buffer__consume(ring)
        for cookie in taken.cookies { body(SocketCookie(rawValue: cookie)) }
        var key: UInt32 = 0
        var lost = lostBefore
        _ = bpf_map_lookup_elem(counts, &key, &lost)
        defer { lostBefore = lost }
        return lost != lostBefore
    }

    private static let take: ring_buffer_sample_fn = { context, sample, size in
        if let context, let sample, size == MemoryLayout<UInt64>.size {
            Unmanaged<Taken>.fromOpaque(context).takeUnretainedValue().cookies
                .append(sample.loadUnaligned(as: UInt64.self))
        }
        return 0
    }
}
