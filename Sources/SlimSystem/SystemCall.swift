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
