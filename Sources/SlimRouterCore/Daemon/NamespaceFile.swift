internal import FoundationEssentials
internal import Glibc
internal import SlimSystem

/// Which namespace a file stands for: by device and inode number, which are its own as long as it exists.
struct NamespaceFile: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    /// What a path leads to now; `nil` when to nothing. The corresponding C function is `stat`.
    init?(path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        self.init(information)
    }

    /// What an open namespace is. The corresponding C function is `fstat`.
    init?(_ namespace: borrowing NetworkNamespace) {
        var information = stat()
        guard fstat(namespace.descriptor.raw, &information) == 0 else { return nil }
        self.init(information)
    }

    private init(_ information: stat) {
        device = UInt64(information.st_dev)
        inode = UInt64(information.st_ino)
    }

    /// Whether a process of this machine is in the network namespace.
    var hasProcesses: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.contains { Int($0) != nil && NamespaceFile(path: "/proc/\($0)/ns/net") == self }
    }
}
