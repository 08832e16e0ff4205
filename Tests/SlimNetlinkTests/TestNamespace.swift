import CSlimSystem
import Glibc
import SlimNetlink
import SlimRegistry
import SlimSystem
import Synchronization
import SystemPackage

/// A new network namespace that lives as long as somebody holds it: no name, nothing to clean up.
final class TestNamespace: Sendable {
    let handle: NetworkNamespace

    init() throws {
        let descriptor = OwnedDescriptor(try newNamespaceDescriptor())
        handle = try NetworkNamespace(path: "/proc/self/fd/\(descriptor.raw)")
    }

    /// Runs a closure inside the namespace, whatever it throws.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        try handle.run { Result { try body() } }.get()
    }
}

private func newNamespaceDescriptor() throws -> CInt {
    let made = Mutex<Result<CInt, Errno>>(.failure(.notRecoverable))
    try onNewThread {
        let result: Result<CInt, Errno>
        do throws(Errno) {
            try systemCall { slim_unshare_network() }
            result = .success(try NetworkNamespace.current().descriptor.duplicate().release())
        } catch { result = .failure(error) }
        made.withLock { $0 = result }
    }
    return try made.withLock { $0 }.get()
}

/// Waits until something holds that the kernel does at its own pace; gives up after some seconds.
func eventually(_ holds: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<200 {
        if try holds() { return true }
        usleep(20_000)
    }
    return false
}

extension Endpoint {
    /// Calls a function with the address as the kernel takes it, an IPv4 one as IPv6 sockets take it if so wanted.
    func withSocketAddress<Value>(isMapped: Bool = false, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value)
        -> Value
    {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { bytes in
            withUnsafeBytes(of: port.rawValue.bigEndian) { bytes[2..<4].copyBytes(from: $0) }
            switch address.family {
            case .v4 where !isMapped:
                bytes.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
                bytes[4..<8].copyBytes(from: address.bytes)
                return MemoryLayout<sockaddr_in>.size
            case .v4, .v6:
                bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
                let prefix = address.family == .v4 ? [UInt8](repeating: 0, count: 10) + [0xff, 0xff] : []
                bytes[8..<24].copyBytes(from: prefix + address.bytes)
                return MemoryLayout<sockaddr_in6>.size
            }
        }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }
}

/// An address that a test wrote down.
func address(_ text: String) -> IPAddress { IPAddress(text) ?? .anyV4 }

/// A subnet that a test wrote down.
func subnet(_ text: String) throws -> Subnet {
    guard let subnet = Subnet(text) else { throw Errno.invalidArgument }
    return subnet
}
