internal import NIOCore
internal import NIOHTTP1

/// What a request asks for: the method and the path, once known to exist.
enum AdminRoute: Equatable {
    case status, hosts, containers, listeners, connections, attach
    case detach(String)

    init(_ method: HTTPMethod, _ uri: String) throws(AdminError) {
        let path = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let known: [(method: HTTPMethod, route: AdminRoute)] =
            switch path {
            case "/v1/status": [(.GET, .status)]
            case "/v1/hosts": [(.GET, .hosts)]
            case "/v1/containers": [(.GET, .containers), (.POST, .attach)]
            case "/v1/listeners": [(.GET, .listeners)]
            case "/v1/connections": [(.GET, .connections)]
            default: Self.detaching(path).map { [(.DELETE, $0)] } ?? []
            }
        guard !known.isEmpty else {
            throw AdminError(.notFound, "no such resource: \(path.prefix(80).debugDescription)")
        }
        guard let route = known.first(where: { $0.method == method })?.route else {
            let allowed = known.map(\.method.rawValue).joined(separator: ", ")
            throw AdminError(.methodNotAllowed, "\(path) takes \(allowed) only")
        }
        self = route
    }

    private static func detaching(_ path: Substring) -> AdminRoute? {
        let prefix = "/v1/containers/"
        guard path.hasPrefix(prefix), AttachRequest.isContainerName(String(path.dropFirst(prefix.count))) else {
            return nil
        }
        return .detach(String(path.dropFirst(prefix.count)))
    }

    func answer(from backend: any AdminBackend, body: ByteBuffer) async throws -> ByteBuffer {
        switch self {
        case .status: return try AdminJSON.encode(try await backend.status())
        case .hosts: return try AdminJSON.encode(try await backend.hosts())
        case .containers: return try AdminJSON.encode(try await backend.containers())
        case .listeners: return try AdminJSON.encode(try await backend.listeners())
        case .connections: return try AdminJSON.encode(try await backend.connections())
        case .attach:
            let request = try AdminJSON.decode(AttachRequest.self, from: body)
            try request.validate()
            return try AdminJSON.encode(try await backend.attach(request))
        case .detach(let name):
            try await backend.detach(name)
            return try AdminJSON.encode(AdminJSON.Empty())
        }
    }
}
