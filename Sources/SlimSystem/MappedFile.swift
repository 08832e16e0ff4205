internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// A file in memory, shared with whoever maps it next: what is written there survives the process.
///
/// Made sparse: only what is touched takes room.
package struct MappedFile: ~Copyable {
    package let bytes: UnsafeMutableRawBufferPointer

    /// Opens or makes a file of a size; what it holds already is kept, up to the size.
    ///
    /// The corresponding C functions are `open`, `ftruncate` and `mmap`.
    package init(_ path: String, byteCount: Int) throws(Errno) {
        let file = try openForWriting(path, mode: 0o600)
        try systemCall { ftruncate(file.raw, byteCount) }
        guard let start = slim_map_file(file.raw, byteCount) else { throw Errno(rawValue: errno) }
        bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }

    deinit { _ = slim_unmap(bytes.baseAddress, bytes.count) }
}
