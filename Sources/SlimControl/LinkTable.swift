internal import Synchronization

/// Who is connected now: written on the event loop, read from any thread.
final class LinkTable: Sendable {
    private struct Entry {
        var link: Link?
        /// Why there is no connection.
        var reason: String?
    }

    private let entries = Mutex<[String: Entry]>([:])

    func link(to peer: String) -> Link? { entries.withLock { $0[peer]?.link } }

    var connected: Set<String> { entries.withLock { Set($0.filter { $0.value.link != nil }.keys) } }

    var reasons: [String: String] { entries.withLock { $0.compactMapValues(\.reason) } }

    func set(_ link: Link) { entries.withLock { $0[link.peer] = Entry(link: link) } }

    func clear(_ peer: String, reason: String) { entries.withLock { $0[peer] = Entry(reason: reason) } }

    func forget(_ peer: String) { entries.withLock { $0[peer] = nil } }
}
