package import Logging
internal import NIOCore
internal import NIOHTTP1
package import NIOPosix
internal import Synchronization

/// Serves the admin API, HTTP/1.1 and JSON, on a Unix socket that only the router's user can open (mode 0600).
package final class AdminServer: Sendable {
    /// Connections at one time; each is an operator's tool or a scraper.
    private static let mostConnections = 128
    private static let idleTimeout = TimeAmount.seconds(60)

    private enum State {
        case stopped
        /// The number is the inode of the socket's name.
        case running(any Channel, AdminSocketFile, inode: UInt64?)
    }

    private let path: String
    private let backend: any AdminBackend
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    private let ownsGroup: Bool
    private let state = Mutex(State.stopped)
    private let connections = Atomic(0)

    /// - Parameter group: whose threads serve; by default one of its own.
    package init(path: String, backend: any AdminBackend, logger: Logger, group: MultiThreadedEventLoopGroup? = nil) {
        self.path = path
        self.backend = backend
        self.logger = logger
        self.group = group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
        ownsGroup = group == nil
    }

    /// Takes the path over: from a router that is gone, or from one that is being replaced.
    ///
    /// The socket appears under its name with its mode, complete: nobody finds it half made.
    package func start() async throws(AdminError) {
        let file = try AdminSocketFile(path: path)
        do {
            let channel = try await bootstrap().bind(unixDomainSocketPath: file.temporaryPath).get()
            do {
                try file.publish()
            } catch {
                try? await channel.close()
                throw error
            }
            state.withLock { $0 = .running(channel, file, inode: file.inode()) }
        } catch let error as AdminError {
            throw error
        } catch {
            throw AdminError(.unavailable, "\(path): cannot listen: \(error); check the directory and its permissions")
        }
    }

    /// Stops serving and, unless another router has taken it over, removes the socket.
    package func stop() async {
        let running = state.withLock { state in
            defer { state = .stopped }
            return state
        }
        if case .running(let channel, let file, let inode) = running {
            file.remove(ifStill: inode)
            try? await channel.close()
        }
        if ownsGroup { try? await group.shutdownGracefully() }
    }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .childChannelInitializer { [self] channel in
                let count = connections.add(1, ordering: .relaxed).newValue
                channel.closeFuture.whenComplete { [self] _ in connections.subtract(1, ordering: .relaxed) }
                guard count <= Self.mostConnections else {
                    return channel.eventLoop.makeFailedFuture(AdminError(.unavailable, "too many connections"))
                }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: Self.idleTimeout))
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(AdminHandler(backend: backend, logger: logger))
                }
            }
    }
}
