internal import CSlimSystem
internal import SlimSystem
internal import SystemPackage

/// Calls back, on a thread of its own, when what a directory holds has changed: until it is cancelled or released.
///
/// The directory may come and go. The corresponding C function is `inotify_add_watch`.
final class DirectoryWatch: Sendable {
    /// Changes come in bursts (create, write, rename): one call for all that come within this time, in milliseconds.
    private static let settlingTime: CInt = 50
    /// How often a directory that is missing is looked for, in milliseconds.
    private static let retryTime: CInt = 1000

    /// Its closing ends the thread.
    private let lifeline: OwnedDescriptor

    init(_ path: String, onChange: @escaping @Sendable () -> Void) throws(Errno) {
        let watch = OwnedDescriptor(try systemCall { slim_watch_open() })
        let ends = try FileDescriptor.pipe(options: .closeOnExec)
        lifeline = OwnedDescriptor(ends.writeEnd.rawValue)
        // A closure may run twice for all the compiler knows, so it cannot own a descriptor: it is given numbers.
        let (watchNumber, endNumber) = (watch.release(), ends.readEnd.rawValue)
        do throws(Errno) {
            try startThread(named: "slim-watch") {
                Self.run(path, OwnedDescriptor(watchNumber), OwnedDescriptor(endNumber), onChange)
            }
        } catch {
            _ = OwnedDescriptor(watchNumber)
            _ = OwnedDescriptor(endNumber)
            throw error
        }
    }

    private static func run(
        _ path: String, _ watch: borrowing OwnedDescriptor, _ end: borrowing OwnedDescriptor, _ onChange: () -> Void
    ) {
        while true {
            let directory = slim_watch_directory(watch.raw, path)
            // What changed before there was a watch is not told by it.
            if directory != -1 { onChange() }
            while true {
                let ready = slim_wait_readable(end.raw, watch.raw, directory == -1 ? retryTime : -1)
                if ready & 1 == 1, ready != -1 { return }
                if ready == 2, !settle(watch, end) { return }
                if ready == 2 { onChange() }
                // The same directory gives the same watch; another in its place, or none, does not.
                if slim_watch_directory(watch.raw, path) != directory { break }
            }
            if directory != -1 {
                _ = slim_watch_forget(watch.raw, directory)
                onChange()
            }
        }
    }

    /// Reads events until none has come for a while.
    ///
    /// - Returns: `false` when the watch was cancelled meanwhile.
    private static func settle(_ watch: borrowing OwnedDescriptor, _ end: borrowing OwnedDescriptor) -> Bool {
        var ready: CInt = 2
        while ready == 2 {
            var buffer = InlineArray<4096, UInt8>(repeating: 0)
            var bytes = buffer.mutableSpan
            let descriptor = FileDescriptor(rawValue: watch.raw)
            bytes.withUnsafeMutableBytes { buffer in _ = try? descriptor.read(into: buffer) }
            ready = slim_wait_readable(end.raw, watch.raw, settlingTime)
        }
        return ready != 1 && ready != 3
    }
}
