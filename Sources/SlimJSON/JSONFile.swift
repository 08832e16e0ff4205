internal import SystemPackage

/// Reads a configuration file as a whole.
package enum JSONFile {
    /// Reads and parses a file.
    ///
    /// - Parameter largestBytes: beyond this it is no such file.
    package static func read(_ path: String, largestBytes: Int) throws(ConfigurationError) -> JSONValue {
        try JSONSource(try bytes(of: path, largestBytes: largestBytes), file: path).value()
    }

    /// The bytes of a regular file, all of one moment: a file that changes meanwhile is an error.
    package static func bytes(of path: String, largestBytes: Int) throws(ConfigurationError) -> [UInt8] {
        func failure(_ problem: String, _ remedy: String) -> ConfigurationError {
            ConfigurationError(file: path, place: .file, problem: problem, remedy: remedy)
        }
        do {
            // Non-blocking, so that a pipe in the place of the file is an error and no hang.
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
            return try file.closeAfter {
                let before = try file.stat()
                switch before.type {
                case .regular: break
                case .directory: throw Errno.isDirectory
                default: throw failure("is not a regular file", "name a file")
                }
                guard before.size <= largestBytes else { throw Errno.fileTooLarge }
                let bytes = try contents(of: file, most: largestBytes)
                guard Version(try file.stat()) == Version(before), bytes.count == before.size else {
                    throw failure("changed while it was read", "try again when it has been written")
                }
                return bytes
            }
        } catch let error as ConfigurationError {
            throw error
        } catch let error as Errno {
            let (problem, remedy) = explanation(of: error, largestBytes: largestBytes)
            throw failure(problem, remedy)
        } catch {
            throw failure("\(error)", "check the file and the disk it is on")
        }
    }

    private static func contents(of file: FileDescriptor, most: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let chunk = 256 << 10
        while bytes.count <= most {
            let part = try [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if part.isEmpty { return bytes }
            bytes += part
        }
        throw Errno.fileTooLarge
    }

    private static func explanation(of error: Errno, largestBytes: Int) -> (problem: String, remedy: String) {
        switch error {
        case .noSuchFileOrDirectory: ("no such file", "write it, or name another file")
        case .permissionDenied: ("permission denied", "run as root, or make the file readable")
        case .isDirectory: ("is a directory", "name a file in it")
        case .fileTooLarge: ("larger than \(largestBytes >> 20) MiB", "is this the right file?")
        default: ("\(error)", "check the file and the disk it is on")
        }
    }

    /// What the kernel changes with every change of a file.
    private struct Version: Equatable {
        private let size: Int64
        private let modified: [UInt8]
        private let changed: [UInt8]

        init(_ stat: Stat) {
            size = stat.size
            modified = withUnsafeBytes(of: stat.st_mtim) { Array($0) }
            changed = withUnsafeBytes(of: stat.st_ctim) { Array($0) }
        }
    }
}
