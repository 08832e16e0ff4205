import CSlimSystem
import Glibc
import SlimSystem
import SystemPackage
import Testing

/// Runs a closure in a network namespace of its own, which is gone afterwards.
func onNewNetwork<Value: Sendable>(_ body: @escaping @Sendable () throws(Errno) -> Value) throws -> Value {
    let box = Outcome<Value>()
    try onNewThread {
        do throws(Errno) {
            try systemCall { slim_lab_unshare(0) }
            box.result = .success(try body())
        } catch { box.result = .failure(error) }
    }
    return try #require(box.result).get()
}

/// Written by one thread that ends before the other reads: that order is the reason it may be shared.
final class Outcome<Value: Sendable>: @unchecked Sendable {
    var result: Result<Value, Errno>?
}

struct NetworkNamespaceTests {
    @Test func `a closure runs inside, and every other thread stays where it is`() throws {
        let own = try NetworkNamespace.current().cookie()
        let (other, seen) = try onNewNetwork { () throws(Errno) -> (NamespaceCookie, NamespaceCookie) in
            let namespace = try NetworkNamespace.current()
            let host = try NetworkNamespace(path: "/proc/self/ns/net")
            let there = try host.cookie()
            let here = try namespace.run { () throws(Errno) in try NetworkNamespace.current().cookie() }
            // The thread itself has not moved either.
            guard try NetworkNamespace.current().cookie() == here else { throw .invalidArgument }
            return (here, there)
        }
        #expect(other != own)
        #expect(seen == own)
        #expect(try NetworkNamespace.current().cookie() == own)
    }

    @Test func `threads that were in a namespace end`() throws {
        let namespace = try NetworkNamespace.current()
        let before = try threads()
        for _ in 0..<50 { _ = try namespace.cookie() }
        #expect(try threads() <= before + 5)
    }

    @Test func `an error inside is thrown outside`() throws {
        let namespace = try NetworkNamespace.current()
        #expect(throws: Errno.noSpace) { try namespace.run { () throws(Errno) -> Int in throw .noSpace } }
    }

    @Test(arguments: ["/proc/self/ns/uts", "/dev/null", "/proc/self/status", "/"])
    func `what is no network namespace is refused`(path: String) {
        #expect(throws: Errno.invalidArgument) { _ = try NetworkNamespace(path: path).descriptor.raw }
    }

    @Test func `a path that leads nowhere is refused`() {
        #expect(throws: Errno.noSuchFileOrDirectory) {
            _ = try NetworkNamespace(path: "/run/netns/\(getpid())-none").descriptor.raw
        }
    }

    @Test func `a socket tells its namespace, wherever it is used`() throws {
        let (raw, cookie) = try onNewNetwork { () throws(Errno) in
            (try StreamSocket.open(.v4, nonblocking: false).release(), try NetworkNamespace.current().cookie())
        }
        let socket = OwnedDescriptor(raw)
        #expect(try namespaceCookie(of: socket.raw) == cookie)
    }

    private func threads() throws -> Int {
        let file = try FileDescriptor.open("/proc/self/status", .readOnly)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
        let line = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("Threads:")
        }
        return try #require(line.flatMap { Int($0.dropFirst(8).trimmingPrefix { $0 == "\t" }) })
    }
}
