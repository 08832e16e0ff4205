internal import CSlimSystem
internal import Glibc
package import SystemPackage

/// Runs a closure on a new thread and waits for its end.
///
/// The corresponding C functions are `pthread_create` and `pthread_join`.
package func onNewThread(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(ThreadBody(body))
    let code = pthread_create(&thread, nil, threadMain, context.toOpaque())
    guard code == 0 else {
        context.release()
        throw Errno(rawValue: code)
    }
    pthread_join(thread, nil)
}

/// Starts a thread that nobody waits for.
///
/// - Parameter name: shown by `ps -L`; at most 15 bytes count.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(
        ThreadBody {
            slim_name_thread(name)
            body()
        })
    let code = pthread_create(&thread, nil, threadMain, context.toOpaque())
    guard code == 0 else {
        context.release()
        throw Errno(rawValue: code)
    }
    pthread_detach(thread)
}

/// From now on the calling thread does not take the processor from others when it wakes: it waits until they sleep, or their
/// time is up. What the operator has set for the process stays.
///
/// The corresponding C function is `sched_setscheduler`, with `SCHED_BATCH`.
package func giveWayToOthers() { slim_schedule_in_batches() }

/// Stops the calling thread for a while. Not for the cooperative pool.
package func pause(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    var rest = timespec()
    while nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func threadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
