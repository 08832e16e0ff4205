internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Talks to a router through its admin socket. Each request has a connection of its own.
package struct AdminClient: Sendable {
    package static let defaultSocketPath = "/run/slim/admin.sock"

    package let socketPath: String
    private let timeout: TimeAmount

    /// - Parameter timeout: how long the router may take to answer a request.
    package init(socketPath: String = Self.defaultSocketPath, timeout: Duration = .seconds(30)) {
        self.socketPath = socketPath
        self.timeout = TimeAmount(timeout)
    }

    package func status() async throws(AdminError) -> StatusReport { try await send(.GET, "/v1/status") }
    package func hosts() async throws(AdminError) -> [HostReport] { try await send(.GET, "/v1/hosts") }
    package func containers() async throws(AdminError) -> [ContainerReport] { try await send(.GET, "/v1/containers") }
    package func listeners() async throws(AdminError) -> [ListenerReport] { try await send(.GET, "/v1/listeners") }
    package func connections() async throws(AdminError) -> [ConnectionReport] {
        try await send(.GET, "/v1/connections")
    }

    /// Gives a network namespace addresses and has the router serve it.
    package func attach(_ request: AttachRequest) async throws(AdminError) -> ContainerReport {
        try request.validate()
        return try await post(.POST, "/v1/containers", request)
    }

    /// Takes a container back.
    package func detach(_ name: String) async throws(AdminError) {
        guard AttachRequest.isContainerName(name) else {
            throw AdminError(.badRequest, "\(name.prefix(80).debugDescription) cannot be the name of a container")
        }
        let _: AdminJSON.Empty = try await send(.DELETE, "/v1/containers/\(name)")
    }

    /// Changes a container's labels.
    package func relabel(_ name: String, _ request: RelabelRequest) async throws(AdminError) -> ContainerReport {
        guard AttachRequest.isContainerName(name) else {
            throw AdminError(.badRequest, "\(name.prefix(80).debugDescription) cannot be the name of a container")
        }
        return try await post(.PATCH, "/v1/containers/\(name)", request)
    }

    package func secureMode() async throws(AdminError) -> SecureReport { try await send(.GET, "/v1/secure") }

    /// Has host sockets guarded from now on.
    package func enableSecureMode(_ request: SecureRequest) async throws(AdminError) -> SecureReport {
        try await post(.POST, "/v1/secure", request)
    }

    package func disableSecureMode() async throws(AdminError) -> SecureReport { try await send(.DELETE, "/v1/secure") }

    package func policy() async throws(AdminError) -> PolicyReport { try await send(.GET, "/v1/policy") }

    /// Has a policy taken into force; on any error the one in force stays.
    package func reloadPolicy(_ request: PolicyRequest) async throws(AdminError) -> ReloadReport {
        try await post(.POST, "/v1/policy/reload", request)
    }

    /// What ``reloadPolicy(_:)`` would do.
    package func diffPolicy(_ request: PolicyRequest) async throws(AdminError) -> PolicyDiffReport {
        try await post(.POST, "/v1/policy/diff", request)
    }

    package func explain(_ request: ExplainRequest) async throws(AdminError) -> ExplainReport {
        try await post(.POST, "/v1/policy/explain", request)
    }

    private func post<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, _ request: some Encodable
    ) async throws(AdminError) -> Answer {
        let body: ByteBuffer
        do { body = try AdminJSON.encode(request) } catch { throw AdminError(.badRequest, "\(error)") }
        return try await send(method, path, body: body)
    }

    private func send<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, body: ByteBuffer = ByteBuffer()
    ) async throws(AdminError) -> Answer {
        let answer = try await exchange(method, path, body: body)
        if answer.status == .ok {
            do { return try AdminJSON.decode(Answer.self, from: answer.body) } catch {
                throw AdminError(
                    .internalError,
                    "\(socketPath): an answer that is not understood (\(error)); are slimctl and slimrouter of the same version?"
                )
            }
        }
        let failure = try? AdminJSON.decode(AdminJSON.Failure.self, from: answer.body)
        let code = AdminError.Code(rawValue: Int(answer.status.code)) ?? .internalError
        throw AdminError(code, failure?.error ?? "\(socketPath): the router answered \(answer.status)")
    }

    private func exchange(
        _ method: HTTPMethod, _ path: String, body: ByteBuffer
    ) async throws(AdminError) -> AdminExchange.Answer {
        let exchange: AdminExchange
        do {
            exchange = try await AdminExchange.connect(to: socketPath)
        } catch { throw unreachable(error) }
        do {
            return try await exchange.request(method, path, body: body, timeout: timeout)
        } catch {
            throw AdminError(.unavailable, "\(socketPath): the router ended the connection (\(error)); see its log")
        }
    }

    private func unreachable(_ error: any Error) -> AdminError {
        let start = "start it with `slimrouter` (or `systemctl start slimrouter`), or name its socket with --router"
        let reason =
            switch (error as? IOError)?.errnoCode {
            case AdminExchange.missing: "no router runs here (no such socket); \(start)"
            case AdminExchange.refused: "no router listens any more; \(start)"
            case AdminExchange.forbidden: "permission denied; run as root"
            default: "cannot reach the router (\(error)); \(start)"
            }
        return AdminError(.unavailable, "\(socketPath): \(reason)")
    }
}
