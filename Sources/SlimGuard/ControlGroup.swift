internal import CSlimGuard
internal import FoundationEssentials
internal import SlimSystem

/// A control group (version 2) of the router's own: the kernel runs the BPF guard's programs for the sockets that are
/// made in it, wherever they go.
package struct ControlGroup: Hashable, Sendable {
    package let path: String
    /// The kernel's number for it.
    package let id: UInt64

    /// Makes the group of a router, or finds the one it made before.
    ///
    /// - Parameter directory: the router's own; each router has a group.
    package init(ofRouterIn directory: String) throws(GuardError) {
        path = try Self.path(ofRouterIn: directory)
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            id = try inodeNumber(of: path)
        } catch {
            throw GuardError(.machine, "the control group \(path) cannot be made (\(error)); run slimrouter as root")
        }
    }

    /// Where the group of a router is, or would be.
    package static func path(ofRouterIn directory: String) throws(GuardError) -> String {
        guard let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8),
            let mount = hierarchy(in: mounts)
        else {
            throw GuardError(
                .machine,
                "no control group hierarchy of version 2 is mounted, and the BPF guard needs one; mount one with "
                    + "`mount -t cgroup2 none /sys/fs/cgroup/unified`, or use the kernel module")
        }
        return "\(mount)/slim/\(name(of: directory))"
    }

    private static func name(of directory: String) -> String {
        directory.split(separator: "/").map { $0.replacing("-", with: "--") }.joined(separator: "-")
    }

    /// Removes the groups of routers that are gone, whose directories were below this one.
    package static func removeAll(below directory: String) {
        guard let groups = try? path(ofRouterIn: directory) else { return }
        let folder = groups.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        let prefix = name(of: directory) + "-"
        for group in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where group.hasPrefix(prefix) && !group.dropFirst(prefix.count).hasPrefix("-") {
            _ = slim_remove_directory("\(folder)/\(group)")
        }
        // When it was the last one.
        _ = slim_remove_directory(folder)
    }

    /// `36 35 98:0 /root /path options optional... - type source options`
    static func hierarchy(in mountinfo: String) -> String? {
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let separator = fields[6...].firstIndex(of: "-"), separator + 1 < fields.count,
                fields[separator + 1] == "cgroup2"
            else { continue }
            return String(fields[4])
        }
        return nil
    }

    /// Moves this process into it, all threads: sockets that are made from now on belong to the group.
    package func enter() throws(GuardError) {
        do {
            try Data("0\n".utf8).write(to: URL(filePath: "\(path)/cgroup.procs"))
        } catch {
            throw GuardError(.machine, "the control group \(path) cannot be entered (\(error)); run slimrouter as root")
        }
    }
}
