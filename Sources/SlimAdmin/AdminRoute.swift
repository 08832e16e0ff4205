internal import NIOCore
internal import NIOHTTP1

/// What a request asks for: the method and the path, once known to exist.
enum AdminRoute: Equatable {
    case status, hosts, containers, listeners, connections, attach, policy, reload, diff, explain
    case secureMode, enableSecureMode, disableSecureMode
    case detach(String), relabel(String)

    init(_ method: HTTPMethod, _ uri: String) throws(AdminError) {
        let path = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let known: [(method: HTTPMethod, route: AdminRoute)] =
            switch path {
            case "/v1/status": [(.GET, .status)]
            case "/v1/hosts": [(.GET, .hosts)]
            case "/v1/containers": [(.GET, .containers), (.POST, .attach)]
            case "/v1/listeners": [(.GET, .listeners)]
            case "/v1/connections": [(.GET, .connections)]
            case "/v1/secure":
                [(.GET, .secureMode), (.POST, .enableSecureMode), (.DELETE, .disableSecureMode)]
            case "/v1/policy": [(.GET, .policy)]
            case "/v1/policy/reload": [(.POST, .reload)]
            case "/v1/policy/diff": [(.POST, .diff)]
            case "/v1/policy/explain": [(.POST, .explain)]
            default: Self.container(path).map { [(.DELETE, .detach($0)), (.PATCH, .relabel($0))] } ?? []
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

    private static func container(_ path: Substring) -> String? {
        let prefix = "/v1/containers/"
        guard path.hasPrefix(prefix), AttachRequest.isContainerName(String(path.dropFirst(prefix.count))) else {
            return nil
        }
        return String(path.dropFirst(prefix.count))
    }

    private static func policyRequest(_ body: ByteBuffer) throws -> PolicyRequest {
        let request = try AdminJSON.decode(PolicyRequest.self, from: body)
        try request.validate()
        return request
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
        case .relabel(let name):
            return try AdminJSON.encode(
                try await backend.relabel(name, try AdminJSON.decode(RelabelRequest.self, from: body)))
        case .secureMode: return try AdminJSON.encode(try await backend.secureMode())
        case .enableSecureMode:
            return try AdminJSON.encode(
                try await backend.enableSecureMode(try AdminJSON.decode(SecureRequest.self, from: body)))
        case .disableSecureMode: return try AdminJSON.encode(try await backend.disableSecureMode())
        case .policy: return try AdminJSON.encode(try await backend.policy())
        case .reload: return try AdminJSON.encode(try await backend.reloadPolicy(try Self.policyRequest(body)))
        case .diff: return try AdminJSON.encode(try await backend.diffPolicy(try Self.policyRequest(body)))
        case .explain:
            return try AdminJSON.encode(
                try await backend.explain(try AdminJSON.decode(ExplainRequest.self, from: body)))
        }
    }
}
