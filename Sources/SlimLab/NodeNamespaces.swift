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
    /// The kernel lets a mount namespace be bound only in an older one, and tells age by numbers that each processor
    /// takes from a range of its own (Linux 6.18): a namespace made on another processor than the caller's may pass for
    /// older. One of the processors makes one that does not.
    /// - Parameter isContainer: with a mount namespace, in which `/etc/hosts` is the lab's and `/sys` shows the container's network.
    static func make(_ node: String, in directory: LabDirectory, isContainer: Bool) throws(LabError) {
        var processors = (0..<CInt(sysconf(CInt(_SC_NPROCESSORS_CONF)))).makeIterator()
        var processor: CInt?
        while true {
            let descriptors = try open(node, in: directory, isContainer: isContainer, on: processor)
            defer { for descriptor in descriptors { close(descriptor) } }
            do throws(Errno) {
                // The last, the mount namespace, is the one that may be refused.
                for (descriptor, path) in zip(descriptors, paths(of: node, in: directory)).reversed() {
                    try systemCall { slim_lab_bind("/proc/self/fd/\(descriptor)", path) }
                }
                let link = directory.namespaceLink(of: node)
                try systemCall { symlink(directory.networkNamespace(of: node), link) }
                return
            } catch {
                processor = processors.next()
                if error != .invalidArgument || processor == nil {
                    throw LabError("keep the namespaces", directory.keptNamespaces, error)
                }
            }
        }
    }

    /// The files that namespaces are bound to.
    private static func paths(of node: String, in directory: LabDirectory) -> [String] {
        [directory.networkNamespace(of: node), directory.utsNamespace(of: node), directory.mountNamespace(of: node)]
    }

    /// Makes namespaces, and empty files to bind them to.
    ///
    /// - Parameter processor: where they are made; `nil` is anywhere.
    /// - Returns: descriptors of the namespaces, the mount namespace's last.
    private static func open(
        _ node: String, in directory: LabDirectory, isContainer: Bool, on processor: CInt?
    ) throws(LabError) -> [CInt] {
        let kinds = isContainer ? ["net", "uts", "mnt"] : ["net", "uts"]
        for (path, _) in zip(paths(of: node, in: directory), kinds) { try LabFile.touch(path) }
        let box = OpenedBox()
        let failure = FailureBox()
        let hosts = directory.hostsFilePath
        do throws(Errno) {
            try onNewThread {
                // A processor that is switched off makes no namespaces: the next one may.
                if let processor { _ = slim_lab_pin(processor) }
                do throws(LabError) {
                    try enterNew(node, hosts: isContainer ? hosts : nil)
                    for kind in kinds { box.descriptors.append(try open("/proc/thread-self/ns/\(kind)").release()) }
                } catch {
                    failure.error = error
                }
            }
        } catch {
            throw LabError("start a thread", node, error)
        }
        guard let error = failure.error else { return box.descriptors }
        for descriptor in box.descriptors { close(descriptor) }
        throw error
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
