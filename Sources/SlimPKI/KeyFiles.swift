internal import Glibc

/// Small files that are read whole and replaced whole: a reader never sees half of one.
enum KeyFiles {
    /// Far above any chain of certificates; keeps a wrong path (a device, a log) from filling memory.
    static let maximumBytes = 1 << 20

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func read(_ path: String, orElse hint: String) throws(PKIError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("cannot be read", path, hint) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot be read", path, hint) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= maximumBytes else {
                throw PKIError(.malformed, path: path, "is larger than 1 MiB: not a certificate or key; check the path")
            }
        }
    }

    /// Writes a file under a temporary name, then moves it into place.
    ///
    /// - Parameter replacing: when false, a file of that name makes this fail, also one that appears meanwhile.
    static func write(_ text: String, to path: String, mode: mode_t, replacing: Bool) throws(PKIError) {
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max))"
        let hint = "run as a user who may write there"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("cannot be written", path, hint) }
        var stored = fchmod(descriptor, mode) == 0 && store(Array(text.utf8), in: descriptor) && fsync(descriptor) == 0
        let code = errno
        stored = close(descriptor) == 0 && stored
        guard stored else {
            unlink(temporary)
            throw failure("cannot be written", path, "make room on the disk", errno: code)
        }
        let moved = replacing ? rename(temporary, path) : link(temporary, path)
        let moveCode = errno
        if moved != 0 || !replacing { unlink(temporary) }
        guard moved == 0 else {
            if moveCode == EEXIST {
                throw PKIError(.exists, path: path, "exists already and is not overwritten; move it away first")
            }
            throw failure("cannot be written", path, hint, errno: moveCode)
        }
    }

    static func remove(_ path: String) { unlink(path) }

    /// Makes a directory and those above it.
    static func makeDirectory(_ path: String) throws(PKIError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/" + part
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
                throw failure(
                    "cannot be made", made, "run as a user who may write there, or choose another --directory")
            }
        }
    }

    private static func store(_ bytes: [UInt8], in descriptor: CInt) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    private static func failure(_ what: String, _ path: String, _ hint: String, errno code: CInt = errno) -> PKIError {
        let reason = String(cString: strerror(code))
        return PKIError(
            code == ENOENT || code == ENOTDIR ? .missing : .inaccessible, path: path, "\(what) (\(reason)); \(hint)")
    }
}
