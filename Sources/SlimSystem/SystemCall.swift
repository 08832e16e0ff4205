internal import Glibc
package import SystemPackage

/// The one choke point for system calls that answer -1 and set errno: repeats after `EINTR`, throws all else.
@inline(__always)
@discardableResult
package func systemCall<Result: FixedWidthInteger>(_ body: () -> Result) throws(Errno) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = errno
        if code != EINTR { throw Errno(rawValue: code) }
    }
}

extension Errno {
    /// What `errno` is now: for functions that answer in other ways than by -1.
    package static var last: Errno { Errno(rawValue: errno) }
}
