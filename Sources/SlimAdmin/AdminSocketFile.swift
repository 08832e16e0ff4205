internal import CSlimSystem
internal import SlimSystem
internal import SystemPackage

/// The name of the admin socket in the file system.
struct AdminSocketFile: Sendable {
    let path: String
    /// Where the socket is bound before it is published.
    let temporaryPath: String

    init(path: String) throws(AdminError) {
        self.path = path
        temporaryPath = "\(path).\(slim_admin_process())"
        guard path.hasPrefix("/"), temporaryPath.utf8.count <= 107 else {
            throw AdminError(
                .badRequest, "\(path): not usable for a Unix socket; choose an absolute path below 96 bytes")
        }
        slim_admin_unlink(temporaryPath)
    }

    /// Gives the bound socket its mode and its name, in this order.
    func publish() throws(AdminError) {
        do throws(Errno) {
            try systemCall { slim_admin_publish(temporaryPath, path) }
        } catch {
            slim_admin_unlink(temporaryPath)
            throw AdminError(.unavailable, "\(path): cannot be made: \(error); check the directory and its permissions")
        }
    }

    /// The number of the published file, by which it is known again.
    func inode() -> UInt64? {
        var inode: UInt64 = 0
        return slim_admin_inode(path, &inode) == 0 ? inode : nil
    }

    /// Removes the name, unless it stands for another file by now: a router that took over keeps its own.
    func remove(ifStill inode: UInt64?) {
        guard let inode, self.inode() == inode else { return }
        slim_admin_unlink(path)
    }
}
