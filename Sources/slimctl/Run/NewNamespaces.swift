internal import CSlimSystem
internal import SlimSystem
internal import Synchronization
internal import SystemPackage

/// A network, a mount and a UTS namespace that exist as long as this value or a process in them.
final class NewNamespaces: Sendable {
    private struct Numbers {
        var network: CInt = -1
        var mount: CInt = -1
        var uts: CInt = -1
    }

    private let network: OwnedDescriptor
    private let mount: OwnedDescriptor
    private let uts: OwnedDescriptor

    /// Makes the namespaces; `/sys` in them shows the new network, and the machine's name is the container's.
    ///
    /// The corresponding C function is `unshare`, on a thread of its own.
    init(hostName: String) throws(Errno) {
        let made = Box()
        try onNewThread {
            let result: Result<Numbers, Errno>
            do throws(Errno) { result = .success(try Self.make(hostName: hostName)) } catch { result = .failure(error) }
            made.result.withLock { $0 = result }
        }
        let numbers = try made.result.withLock { $0 }.get()
        network = OwnedDescriptor(numbers.network)
        mount = OwnedDescriptor(numbers.mount)
        uts = OwnedDescriptor(numbers.uts)
    }

    /// Where the router finds the network namespace as long as this process lives.
    var networkPath: String { "/proc/\(slim_admin_process())/fd/\(network.raw)" }

    /// The numbers, for the C side: borrowed.
    var descriptors: slim_lab_namespaces { slim_lab_namespaces(network: network.raw, uts: uts.raw, mount: mount.raw) }

    private static func make(hostName: String) throws(Errno) -> Numbers {
        try systemCall { slim_lab_unshare(1) }
        try systemCall { slim_lab_remount_sysfs() }
        try systemCall { slim_lab_set_host_name(hostName) }
        let network = try open("net")
        let mount = try open("mnt")
        let uts = try open("uts")
        return Numbers(network: network.release(), mount: mount.release(), uts: uts.release())
    }

    private static func open(_ kind: String) throws(Errno) -> OwnedDescriptor {
        let flags = FileDescriptor.AccessMode.readOnly.rawValue | FileDescriptor.OpenOptions.closeOnExec.rawValue
        return OwnedDescriptor(try systemCall { slim_open("/proc/thread-self/ns/\(kind)", flags) })
    }

    private final class Box: Sendable {
        let result = Mutex<Result<Numbers, Errno>>(.failure(.notRecoverable))
    }
}
