internal import CSlimSystem
internal import Glibc
internal import SlimSystem
internal import SystemPackage

/// The namespaces of a host or container: open until the end of this value's life.
struct NodeNamespaces: ~Copyable, Sendable {
    /// For the C functions. Containers have a mount namespace; hosts share the machine's, where the routers find the
    /// containers' namespace files.
    let numbers: slim_lab_namespaces

    /// Opens the namespaces of a node of a lab that is up.
    init(of node: String, in directory: LabDirectory) throws(LabError) {
        let network = try Self.open(directory.networkNamespace(of: node))
        let uts = try Self.open(directory.utsNamespace(of: node))
        let path = directory.mountNamespace(of: node)
        let mount = LabFile.exists(path) ? try Self.open(path).release() : -1
        numbers = slim_lab_namespaces(network: network.release(), uts: uts.release(), mount: mount)
    }

    deinit {
        for number in [numbers.network, numbers.uts, numbers.mount] where number != -1 { close(number) }
    }

    private static func open(_ path: String) throws(LabError) -> OwnedDescriptor {
        do throws(Errno) {
            return OwnedDescriptor(try systemCall { slim_open(path, O_RDONLY | O_CLOEXEC) })
        } catch {
            throw LabError("open the namespace", path, error)
        }
    }

    /// Makes the namespaces of a node and keeps them by binding their files.
    ///
    /// - Parameter isContainer: with a mount namespace, in which `/etc/hosts` is the lab's and `/sys` shows the container's network.
    static func make(_ node: String, in directory: LabDirectory, isContainer: Bool) throws(LabError) {
        let box = OpenedBox()
        let failure = FailureBox()
        let hosts = directory.hostsFilePath
        do throws(Errno) {
            try onNewThread {
                do throws(LabError) {
                    try enterNew(node, hosts: isContainer ? hosts : nil)
                    for kind in isContainer ? ["net", "uts", "mnt"] : ["net", "uts"] {
                        box.descriptors.append(try open("/proc/thread-self/ns/\(kind)").release())
                    }
                } catch {
                    failure.error = error
                }
            }
        } catch {
            throw LabError("start a thread", node, error)
        }
        defer { for descriptor in box.descriptors { close(descriptor) } }
        if let error = failure.error { throw error }
        let paths = [
            directory.networkNamespace(of: node), directory.utsNamespace(of: node), directory.mountNamespace(of: node),
        ]
        for (descriptor, path) in zip(box.descriptors, paths) {
            try LabFile.touch(path)
            do throws(Errno) {
                try systemCall { slim_lab_bind("/proc/self/fd/\(descriptor)", path) }
            } catch {
                throw LabError("keep the namespace", path, error)
            }
        }
    }

    /// Moves the calling thread into new namespaces.
    private static func enterNew(_ node: String, hosts: String?) throws(LabError) {
        do throws(Errno) {
            try systemCall { slim_lab_unshare(hosts == nil ? 0 : 1) }
            try systemCall { slim_lab_set_host_name(node) }
        } catch {
            throw LabError(
                "make namespaces (root is needed, and a kernel with network, UTS and mount namespaces)", node, error)
        }
        guard let hosts else { return }
        do throws(Errno) {
            try systemCall { slim_lab_remount_sysfs() }
            if LabFile.exists("/etc/hosts") { try systemCall { slim_lab_bind(hosts, "/etc/hosts") } }
        } catch {
            throw LabError("mount /sys and /etc/hosts", node, error)
        }
        // Copies of other nodes' namespace files would keep those namespaces alive after their lab has gone.
        for mount in Mount.all().reversed() where mount.type == "nsfs" || mount.path.hasPrefix(LabDirectory.root + "/")
        {
            slim_lab_detach(mount.path)
        }
    }
}

/// Written by one thread that ends before the other reads: that order is the reason it may be shared.
private final class OpenedBox: @unchecked Sendable {
    var descriptors: [CInt] = []
}

/// As above.
private final class FailureBox: @unchecked Sendable {
    var error: LabError?
}
