import CSlimABI
import CSlimSocket

/// An answer of the router, with the descriptors that came with it (-1: none).
struct RouterAnswer {
    var reply: slim_reply
    var descriptor: CInt
    /// A queue of connections prepared for the same destination.
    var queue: CInt = -1

    /// Closes the descriptors of an answer that is not used.
    func discard() {
        if descriptor >= 0 { _ = Kernel.quietly { slim_close(descriptor) } }
        if queue >= 0 { _ = Kernel.quietly { slim_close(queue) } }
    }
}

/// The connection to the router: one per process, at a high descriptor number, recognised by its cookie before each
/// use. A thread or signal handler that finds it busy takes a connection of its own, so that nobody ever waits for
/// anybody. A forked child finds its memory of it wiped and opens its own.
enum RouterLink {
    private static let timeoutSeconds: CInt = 3
    static let preferredDescriptor: CInt = 900
    private static let looksBeforeSleep = 60
    /// So many looks follow each other when nobody else wants this CPU: what a router needs that answers at once.
    private static let looksInRow = 100
    /// Whoever lets others run, and has the CPU back within this time, found nobody who wanted it.
    private static let unwantedNanoseconds: UInt64 = 4000
    /// A router that hangs is not asked again for so long.
    private static let silenceNanoseconds: UInt64 = 10_000_000_000

    /// The container's namespace, once the router has said so: 0 before.
    static var namespaceCookie: UInt64 {
        guard let router = slim_router_state(), slim_load32(&router.pointee.greeted) == 1 else { return 0 }
        return router.pointee.greeting.namespace_cookie
    }

    /// The identity of this process's connection to the router; 0 when it has none.
    static var cookie: UInt64 {
        guard let state = slim_link_state() else { return 0 }
        return slim_load(&state.pointee.cookie)
    }

    /// Whether an address belongs to the overlay: `nil` when the router has not been heard yet.
    static func isOverlay(_ address: slim_address) -> Bool? {
        guard let router = slim_router_state(), slim_load32(&router.pointee.greeted) == 1 else { return nil }
        return withUnsafeBytes(of: router.pointee.greeting.prefixes) { raw in
            let prefixes = raw.bindMemory(to: slim_prefix.self)
            for index in 0..<min(Int(router.pointee.greeting.prefix_count), prefixes.count)
            where address.isInside(prefixes[index]) { return true }
            return false
        }
    }

    /// One request and its answer; `nil` when no router answers. Changes neither errno nor the cancellation state.
    static func ask(
        _ operation: slim_operation, flags: UInt32 = 0, destination: slim_address = slim_address(),
        passing fd: CInt = -1
    ) -> RouterAnswer? {
        guard Sandbox.mayAsk else { return nil }
        let saved = slim_errno()
        let cancelState = slim_set_cancel_state(1)
        defer {
            _ = slim_set_cancel_state(cancelState)
            slim_set_errno(saved)
        }
        var request = slim_request()
        request.header.magic = UInt32(SLIM_ABI_MAGIC)
        request.header.version = UInt16(SLIM_ABI_VERSION)
        request.header.operation = UInt16(operation.rawValue)
        request.header.flags = flags
        request.destination = destination

        guard !isSilent else { return nil }
        guard let state = slim_link_state(), slim_exchange32(&state.pointee.busy, 0, 1) != 0 else {
            // A queue lasts as long as the connection that it came by.
            request.header.flags &= ~SLIM_REQUEST_QUEUE.rawValue
            return askOnce(&request, passing: fd)
        }
        defer { slim_store32(&state.pointee.busy, 0) }
        state.pointee.sequence &+= 1
        request.header.sequence = state.pointee.sequence
        // A router that was restarted has closed the old connection: one more try on a new one.
        for _ in 0..<2 {
            guard isRecognised(state) || open(state) else { return nil }
            switch exchange(state.pointee.descriptor, &request, passing: fd) {
            case .answer(let answer): return answer
            case .silent:
                forget(state)
                beSilent()
                return nil
            case .closed: forget(state)
            }
        }
        return nil
    }

    private static func askOnce(_ request: inout slim_request, passing fd: CInt) -> RouterAnswer? {
        let descriptor = dial()
        guard descriptor >= 0 else { return nil }
        defer { _ = slim_close(descriptor) }
        request.header.sequence = 1
        switch exchange(descriptor, &request, passing: fd) {
        case .answer(let answer): return answer
        case .silent: beSilent()
        case .closed: break
        }
        return nil
    }

    private static var isSilent: Bool {
        guard let router = slim_router_state(), router.pointee.silent_until != 0 else { return false }
        return slim_nanoseconds() < router.pointee.silent_until
    }

    private static func beSilent() {
        slim_router_state()?.pointee.silent_until = slim_nanoseconds() &+ silenceNanoseconds
    }

    private static func dial() -> CInt {
        let descriptor = slim_dial(slim_router_name(), timeoutSeconds)
        // Somebody is there, and does not accept.
        if descriptor < 0, slim_errno() == SLIM_EAGAIN { beSilent() }
        return descriptor
    }

    private static func isRecognised(_ state: UnsafeMutablePointer<slim_link>) -> Bool {
        state.pointee.cookie != 0 && Kernel.cookie(state.pointee.descriptor) == state.pointee.cookie
    }

    /// Closes the connection if the number still is ours.
    private static func forget(_ state: UnsafeMutablePointer<slim_link>) {
        if isRecognised(state) { _ = slim_close(state.pointee.descriptor) }
        state.pointee.cookie = 0
    }

    /// Closes the copy that a fork has made of the parent's connection.
    private static func forgetInherited(_ router: UnsafeMutablePointer<slim_router>) {
        let (cookie, descriptor) = (router.pointee.inherited_cookie, router.pointee.inherited_descriptor)
        if cookie != 0, Kernel.cookie(descriptor) == cookie { _ = slim_close(descriptor) }
        router.pointee.inherited_cookie = 0
    }

    private static func open(_ state: UnsafeMutablePointer<slim_link>) -> Bool {
        guard let router = slim_router_state() else { return false }
        forgetInherited(router)
        var descriptor = dial()
        guard descriptor >= 0 else { return false }
        let high = slim_fcntl(descriptor, SLIM_F_DUPFD_CLOEXEC, preferredDescriptor)
        if high >= 0 {
            _ = slim_close(descriptor)
            descriptor = high
        }
        state.pointee.descriptor = descriptor
        state.pointee.cookie = Kernel.cookie(descriptor)
        router.pointee.inherited_descriptor = descriptor
        router.pointee.inherited_cookie = state.pointee.cookie
        return true
    }

    private enum Outcome {
        case answer(RouterAnswer)
        case closed
        case silent
    }

    private static func exchange(_ descriptor: CInt, _ request: inout slim_request, passing fd: CInt) -> Outcome {
        while slim_send(descriptor, &request, MemoryLayout<slim_request>.size, fd) < 0 {
            if slim_errno() != SLIM_EINTR { return .closed }
        }
        // A greeting and stale answers may come before ours; a router that sends anything else is not ours.
        for _ in 0..<8 {
            var message = slim_greeting()
            var both: (CInt, CInt) = (-1, -1)
            let count = receive(descriptor, &message, &both)
            let (passed, queue) = both
            if count < 0 { return slim_errno() == SLIM_EAGAIN ? .silent : .closed }
            guard count >= MemoryLayout<slim_header>.size, message.header.magic == UInt32(SLIM_ABI_MAGIC),
                message.header.version == UInt16(SLIM_ABI_VERSION)
            else {
                close(both)
                return count == 0 ? .closed : .silent
            }
            if message.header.operation == UInt16(SLIM_OP_GREETING.rawValue) {
                if count == MemoryLayout<slim_greeting>.size { remember(message) }
            } else if count == MemoryLayout<slim_reply>.size, message.header.sequence == request.header.sequence {
                let reply = withUnsafeBytes(of: &message) { $0.load(as: slim_reply.self) }
                guard request.header.flags & SLIM_REQUEST_QUEUE.rawValue == 0 else {
                    return .answer(RouterAnswer(reply: reply, descriptor: passed, queue: queue))
                }
                // Nobody has asked for a second one.
                close((queue, -1))
                return .answer(RouterAnswer(reply: reply, descriptor: passed))
            }
            close(both)
        }
        return .silent
    }

    private static func close(_ descriptors: (CInt, CInt)) {
        if descriptors.0 >= 0 { _ = slim_close(descriptors.0) }
        if descriptors.1 >= 0 { _ = slim_close(descriptors.1) }
    }

    /// Waits for one message. It looks for it a few times before it sleeps, and lets everybody else run in between: a CPU
    /// that goes idle takes longer to wake than the router to answer. When nobody else wants the CPU, the router runs on
    /// another one, and it looks on without a pause, once: who lets others run then is last behind whomever the SYN woke.
    private static func receive(_ descriptor: CInt, _ message: inout slim_greeting, _ both: inout (CInt, CInt)) -> Int {
        withUnsafeMutableBytes(of: &both) { bytes in
            let passed = bytes.bindMemory(to: CInt.self).baseAddress
            let size = MemoryLayout<slim_greeting>.size
            var looksInRow = self.looksInRow
            for _ in 0..<looksBeforeSleep {
                if let count = look(descriptor, &message, passed) { return count }
                let before = slim_nanoseconds()
                slim_yield()
                guard slim_nanoseconds() &- before < unwantedNanoseconds else { continue }
                while looksInRow > 0 {
                    if let count = look(descriptor, &message, passed) { return count }
                    looksInRow -= 1
                }
            }
            while true {
                let count = slim_receive_two(descriptor, &message, size, passed, SLIM_MSG_CMSG_CLOEXEC)
                if count >= 0 || slim_errno() != SLIM_EINTR { return count }
            }
        }
    }

    /// Takes a message if there is one; `nil` when there is none.
    private static func look(
        _ descriptor: CInt, _ message: inout slim_greeting, _ passed: UnsafeMutablePointer<CInt>?
    ) -> Int? {
        let count = slim_receive_two(
            descriptor, &message, MemoryLayout<slim_greeting>.size, passed, SLIM_MSG_CMSG_CLOEXEC | SLIM_MSG_DONTWAIT)
        return count >= 0 || slim_errno() != SLIM_EAGAIN ? count : nil
    }

    private static func remember(_ greeting: slim_greeting) {
        guard let router = slim_router_state(), slim_load32(&router.pointee.greeted) == 0 else { return }
        router.pointee.greeting = greeting
        slim_store32(&router.pointee.greeted, 1)
    }
}
