internal import FoundationEssentials
internal import Glibc
internal import SlimSystem

/// What systemd is told when it asks (`NOTIFY_SOCKET`, `WATCHDOG_USEC`): sd_notify(3).
struct ServiceManager: Sendable {
    private let socketName: String?
    private let watchdogMicroseconds: UInt64?

    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        socketName = environment["NOTIFY_SOCKET"]
        let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        watchdogMicroseconds = isForUs ? environment["WATCHDOG_USEC"].flatMap(UInt64.init) : nil
    }

    /// Sends one state, such as `READY=1`. Without a service manager nothing happens.
    func notify(_ state: String) {
        guard let socketName else { return }
        sendDatagram(state, to: socketName)
    }

    /// Says twice in each watchdog period that the connection thread still answers.
    func keepAlive(_ mailbox: Mailbox) async {
        guard let watchdogMicroseconds, watchdogMicroseconds > 0 else { return }
        while !Task.isCancelled {
            _ = await mailbox.ask { _ in true }
            notify("WATCHDOG=1")
            try? await Task.sleep(for: .microseconds(Int64(clamping: watchdogMicroseconds / 2)))
        }
    }
}
