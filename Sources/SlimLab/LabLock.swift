internal import Glibc
internal import SlimSystem
internal import SystemPackage

/// Held while a lab is brought up or taken down, so that two of these never mix.
struct LabLock: ~Copyable {
    private let file: OwnedDescriptor
    private let path: String

    /// Waits until nobody else holds the lock. The kernel drops it with its holder.
    init(_ directory: LabDirectory) throws(LabError) {
        try LabFile.makeDirectory(LabDirectory.root)
        file = try Self.acquire(directory.lockPath)
        path = directory.lockPath
    }

    private static func acquire(_ path: String) throws(LabError) -> OwnedDescriptor {
        while true {
            let file = try LabFile.open(path, O_RDWR | O_CREAT)
            let raw = file.raw
            do throws(Errno) {
                try systemCall { flock(raw, LOCK_EX) }
            } catch {
                throw LabError("lock", path, error)
            }
            var information = stat()
            // Whoever held it before may have removed the file: then what is locked here is no longer the lock.
            if fstat(raw, &information) == 0, LabFile.inode(path) == UInt64(information.st_ino) { return file }
        }
    }

    /// Removes the lock's file too, for a lab that is no more.
    consuming func remove() {
        unlink(path)
        rmdir(LabDirectory.root)
    }
}
