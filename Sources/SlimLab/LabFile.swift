internal import CSlimSystem
internal import Glibc
internal import SlimSystem
internal import SystemPackage

/// Small files and folders of the lab.
enum LabFile {
    static func exists(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0
    }

    /// The inode number of what a path leads to; of a namespace file, it tells the namespace.
    static func inode(_ path: String) -> UInt64? {
        var information = stat()
        return stat(path, &information) == 0 ? UInt64(information.st_ino) : nil
    }

    static func read(_ path: String) throws(Errno) -> [UInt8] {
        let file = OwnedDescriptor(try systemCall { slim_open(path, O_RDONLY | O_CLOEXEC) })
        let raw = file.raw
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = try systemCall { Glibc.read(raw, &buffer, buffer.count) }
            if count == 0 { return content }
            content += buffer[..<count]
        }
    }

    /// Writes a file in one step: readers see the old content or the new.
    static func write(_ content: [UInt8], to path: String, mode: mode_t = 0o644) throws(LabError) {
        let temporary = path + ".new"
        do throws(Errno) {
            let file = OwnedDescriptor(
                try systemCall { slim_create(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) })
            let raw = file.raw
            var rest = content[...]
            while !rest.isEmpty {
                let count = try systemCall { rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) } }
                rest = rest.dropFirst(count)
            }
            try systemCall { rename(temporary, path) }
        } catch {
            throw LabError("write", path, error)
        }
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(LabError) {
        do throws(Errno) {
            try systemCall { mkdir(path, mode) }
        } catch {
            if error != .fileExists { throw LabError("make the directory", path, error) }
        }
    }

    /// Opens a file; `O_CLOEXEC` is added.
    static func open(_ path: String, _ flags: CInt) throws(LabError) -> OwnedDescriptor {
        do throws(Errno) {
            return OwnedDescriptor(try systemCall { slim_create(path, flags | O_CLOEXEC, 0o644) })
        } catch {
            throw LabError("open", path, error)
        }
    }

    /// The names in a directory, `.` and `..` left out; none when there is no such directory.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes an empty file to bind something onto.
    static func touch(_ path: String) throws(LabError) {
        _ = try open(path, O_RDONLY | O_CREAT).raw
    }
}
