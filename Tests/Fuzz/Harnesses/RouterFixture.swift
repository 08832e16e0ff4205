import CSlimSystem
import Crypto
import Foundation
import Logging
import SlimControl
import SlimJSON
import SlimNetlink
import SlimPolicy
import SlimRegistry
import SlimSystem
import Synchronization
import SystemPackage

@testable import SlimRouterCore

/// A router's connection path without its thread, with a keeper, in a network namespace of its own: the host's, and that of
/// the container `c1`. A second container, `c2`, has another.
final class RouterFixture {
    static let host = "h9"
    static let peers = ["h2", "h3"]
    static let c1 = IPAddress(v4: (10, 32, 9, 2))
    static let c2 = IPAddress(v4: (10, 32, 9, 3))
    private static let ports = (14_800...14_803 as ClosedRange<UInt16>).map { Port($0) }

    let engine: Engine
    /// The other container's namespace.
    let other: NetworkNamespace
    private let mailbox: Mailbox
    private let told = Told()
    private let directory: String

    /// Moves the calling thread to a new network namespace.
    init(policy: CompiledPolicy = CompiledPolicy(.open)) throws {
        try systemCall { slim_unshare_network() }
        try Self.raiseLoopback()
        directory = FileManager.default.temporaryDirectory.path + "/slim-fuzz-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
        HostKernel.prepare(logger: logger)
        try Self.startKeeper(directory)
        let settings = Engine.Settings(
            host: try Self.record(Self.host, 9, IPAddress(v4: (127, 0, 0, 1))), directory: directory,
            prefixes: try [Self.subnet("10.32.0.0/16"), Self.subnet("fd00:32::/48")], dataPorts: Self.ports,
            socketsPerContainer: 1024, listenersPerContainer: 16, parkedPerContainer: 16, preparedPerContainer: 32,
            connections: 4096)
        mailbox = try Mailbox()
        let told = told
        engine = try Engine(
            settings: settings, security: .off, keeper: try KeeperLink(directory: directory), kept: KeptState(),
            flight: try Flight(), mailbox: mailbox, logger: logger, send: { told.append($0, to: $1) },
            partiesChanged: {},
            guardFailed: { _ in })
        other = try Self.newNamespace()
        try engine.add(
            ContainerArrangement(name: "c1", in: .current(), ipv4: Self.c1, ipv6: nil, labels: ["tier": "web"]))
        try engine.add(ContainerArrangement(name: "c2", in: other, ipv4: Self.c2, ipv6: nil, labels: ["tier": "db"]))
        engine.update(hosts: try Self.records())
        engine.adopt(policy) { _, _ in }
        engine.adopt(KeptState())
        turn()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Has the router look at everything that has happened.
    func turn() {
        mailbox.post { $0.isStopped = true }
        engine.run()
        engine.isStopped = false
    }

    /// What the router has told its peers since it was last asked.
    func takeTold() -> [(message: ControlMessage, peer: String)] { told.take() }

    func peer(_ name: String) throws -> Peer {
        guard let peer = engine.peers[name] else { throw Finding("\(name) is no peer any more") }
        return peer
    }

    /// Peers as if they had never been heard.
    func forgetPeers() throws {
        engine.update(hosts: [])
        engine.update(hosts: try Self.records())
        _ = takeTold()
    }

    static func records() throws -> [HostRecord] {
        try [record("h2", 2, IPAddress(v4: (127, 0, 0, 1))), record("h3", 3, IPAddress(v4: (127, 0, 0, 3)))]
    }

    private static func record(_ name: String, _ number: Int, _ underlay: IPAddress) throws -> HostRecord {
        HostRecord(
            name: name, underlay: underlay,
            subnets: try [subnet("10.32.\(number).0/24"), subnet("fd00:32:0:\(number)::/64")])
    }

    private static func subnet(_ text: String) throws -> Subnet {
        guard let subnet = Subnet(text) else { throw Finding("\(text) is no subnet") }
        return subnet
    }

    private static func raiseLoopback() throws {
        let routes = try RouteSocket()
        try routes.setUp(try routes.index(of: "lo"))
    }

    private static func startKeeper(_ directory: String) throws {
        let path = "\(directory)/keeper.sock"
        let state = Ready()
        try startThread(named: "keeper") {
            do throws(Errno) {
                let keeper = try Keeper(path: path)
                state.ready.withLock { $0 = true }
                try keeper.run()
            } catch { state.ready.withLock { $0 = false } }
        }
        while state.ready.withLock({ $0 }) == nil { pause(.milliseconds(1)) }
    }

    private static func newNamespace() throws -> NetworkNamespace {
        let made = Made()
        try onNewThread {
            do throws(Errno) {
                try systemCall { slim_unshare_network() }
                let raw = try NetworkNamespace.current().descriptor.duplicate().release()
                made.raw.withLock { $0 = raw }
            } catch {}
        }
        let descriptor = OwnedDescriptor(made.raw.withLock { $0 })
        return try NetworkNamespace(path: "/proc/self/fd/\(descriptor.raw)")
    }

    private final class Ready: Sendable { let ready = Mutex<Bool?>(nil) }

    private final class Made: Sendable { let raw = Mutex<CInt>(-1) }
}

private final class Told: Sendable {
    private let messages = Mutex<[(message: ControlMessage, peer: String)]>([])

    func append(_ message: ControlMessage, to peer: String) -> Bool {
        messages.withLock { $0.append((message, peer)) }
        return true
    }

    func take() -> [(message: ControlMessage, peer: String)] {
        messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}
