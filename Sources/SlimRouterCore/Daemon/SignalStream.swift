internal import Dispatch
internal import Glibc

/// Signals as an asynchronous sequence; their default action no longer happens.
struct SignalStream: ~Copyable {
    let stream: AsyncStream<CInt>
    private let sources: [any DispatchSourceSignal]

    init(_ signals: [CInt]) {
        let (stream, continuation) = AsyncStream.makeStream(of: CInt.self)
        self.stream = stream
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}
