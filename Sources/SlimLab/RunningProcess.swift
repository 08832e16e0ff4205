internal import Glibc

/// A process on this machine, as `/proc` shows it.
package struct RunningProcess: Hashable, Sendable {
    package let id: Int32
    package let parent: Int32
    package let arguments: [String]

    /// All processes whose first thread is in one of the network namespaces (or other namespaces), by inode number.
    static func all(inNamespaces inodes: Set<UInt64>) -> [RunningProcess] {
        LabFile.names(in: "/proc").compactMap(pid_t.init).filter { id in
            ["net", "uts", "mnt"].contains { kind in
                guard let inode = LabFile.inode("/proc/\(id)/ns/\(kind)") else { return false }
                return inodes.contains(inode)
            }
        }.compactMap(RunningProcess.init)
    }

    /// - Returns: `nil` when there is no such process, or it has ended and waits to be reaped.
    package init?(id: Int32) {
        // A process that is just being given its program has no arguments yet.
        guard let stat = try? LabFile.read("/proc/\(id)/stat"), let line = try? LabFile.read("/proc/\(id)/cmdline")
        else { return nil }
        // The name is in parentheses and may hold anything; state and parent follow the last one.
        let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 2, fields[0] != "Z", let parent = pid_t(fields[1]) else { return nil }
        self.id = id
        self.parent = parent
        arguments = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether nothing of it is left but what its parent has to reap: a process that was killed closes its files last.
    package var hasEnded: Bool {
        LabFile.names(in: "/proc/\(id)/task").allSatisfy { task in
            guard let stat = try? LabFile.read("/proc/\(id)/task/\(task)/stat") else { return true }
            let state = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.first { $0 != " " }
            return state == "Z" || state == "X"
        }
    }

    /// Resident memory in bytes (`VmRSS`).
    package var residentBytes: Int? { statusBytes("VmRSS:") }

    /// Private writable memory in bytes, what `RLIMIT_DATA` limits (`VmData`).
    package var dataBytes: Int? { statusBytes("VmData:") }

    private func statusBytes(_ label: String) -> Int? {
        guard let content = try? LabFile.read("/proc/\(id)/status") else { return nil }
        let line = String(decoding: content, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(label) }
        return line.flatMap { Int($0.split(whereSeparator: { " \t".contains($0) })[1]) }.map { $0 * 1024 }
    }

    /// The number of open descriptors.
    package var descriptorCount: Int { LabFile.names(in: "/proc/\(id)/fd").count }
}
