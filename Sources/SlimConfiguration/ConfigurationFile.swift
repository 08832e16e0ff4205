internal import SystemPackage

/// Reads a configuration file as a whole.
enum ConfigurationFile {
    /// Beyond this it is no configuration file; a cluster of thousands of hosts stays below it.
    static let largestBytes = 1 << 20

    static func read(_ path: String) throws(ConfigurationError) -> JSONValue {
        JSONValue(node: try JSONParser.parse(try bytes(of: path), file: path), file: path, path: "")
    }

    private static func bytes(of path: String) throws(ConfigurationError) -> [UInt8] {
        do {
            // Non-blocking, so that a pipe in the place of the file is an error and no hang.
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
            return try file.closeAfter {
                var bytes: [UInt8] = []
                let chunk = 64 << 10
                while bytes.count <= largestBytes {
                    let part = try [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
                        count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
                    }
                    if part.isEmpty { return bytes }
                    bytes += part
                }
                throw Errno.fileTooLarge
            }
        } catch let error as Errno {
            throw failure(error, path)
        } catch {
            throw failure(.ioError, path)
        }
    }

    private static func failure(_ error: Errno, _ path: String) -> ConfigurationError {
        let (problem, remedy) =
            switch error {
            case .noSuchFileOrDirectory: ("no such file", "write it, or name another file")
            case .permissionDenied: ("permission denied", "run as root, or make the file readable")
            case .isDirectory: ("is a directory", "name a file in it")
            case .fileTooLarge: ("larger than \(largestBytes >> 20) MiB", "is this the right file?")
            default: ("\(error)", "check the file and the disk it is on")
            }
        return ConfigurationError(file: path, place: .file, problem: problem, remedy: remedy)
    }
}
