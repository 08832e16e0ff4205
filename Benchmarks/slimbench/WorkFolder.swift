internal import Glibc
internal import SlimLab

/// A temporary folder for the servers' files, removed in the end.
struct WorkFolder: ~Copyable {
    let path: String

    init() throws(LabError) {
        var template = Array("/tmp/slim-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LabError(.machine, "/tmp: cannot make a temporary folder") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        chmod(path, 0o755)
    }

    deinit { Self.remove(path) }

    /// Writes a file into the folder.
    ///
    /// - Returns: its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws(LabError) -> String {
        let file = "\(path)/\(name)"
        let bytes = Array(text.utf8)
        let descriptor = creat(file, 0o644)
        defer { close(descriptor) }
        guard descriptor != -1, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw LabError(.machine, "\(file): cannot be written")
        }
        return file
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { Self.remove("\(path)/\(name)") }
            }
        }
        Glibc.remove(path)
    }
}
