internal import SlimGuard
internal import SlimNetlink
internal import SlimSystem
internal import SystemPackage

/// The kernel's word on the ends of the host's TCP sockets: by a BPF program, or where it takes none, by sock_diag.
struct SocketEnds: ~Copyable {
    private let program: EndedSockets?
    private var events: DestroyEvents?
    /// For epoll: readable when there are ends.
    let descriptor: CInt
    /// Why there is no program.
    let shortcoming: GuardError?

    /// Listens in the calling thread's network namespace.
    init() throws(NetlinkError) {
        do throws(GuardError) {
            let program = try EndedSockets(in: try Self.namespace())
            self.program = program
            descriptor = program.descriptor
            events = nil
            shortcoming = nil
        } catch {
            program = nil
            let events = try DestroyEvents()
            descriptor = events.descriptor
            self.events = consume events
            shortcoming = error
        }
    }

    private static func namespace() throws(GuardError) -> NamespaceCookie {
        do throws(Errno) {
            let socket = try StreamSocket.open(.v4, nonblocking: true)
            return try namespaceCookie(of: socket.raw)
        } catch {
            throw GuardError(.machine, "the kernel does not tell its network namespace", error)
        }
    }

    /// Whether an end may be missed without a word.
    var mayMiss: Bool { program != nil }

    /// Takes all ends that wait. Never blocks.
    ///
    /// - Returns: whether others were lost before: compare with a dump.
    mutating func drain(_ body: (SocketCookie) -> Void) -> Bool {
        if let program { return program.drain(body) }
        return events?.drain(body) != nil
    }
}
