internal import CSlimSystem
package import SlimSystem
internal import SystemPackage

/// How fast network devices are, as their drivers tell.
package enum LinkSpeed {
    /// - Returns: bit/s; `nil` when the driver does not know, or there is no such device.
    package static func read(_ name: String, in namespace: borrowing NetworkNamespace) -> UInt64? {
        let megabits = try? namespace.run { () throws(Errno) -> Int64 in
            let socket = try StreamSocket.open(.v4, nonblocking: true)
            return try systemCall { slim_link_speed(socket.raw, name) }
        }
        guard let megabits, megabits > 0 else { return nil }
        return UInt64(megabits) * 1_000_000
    }
}
