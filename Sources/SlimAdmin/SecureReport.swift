/// Secure mode as it is: `GET /v1/secure`.
package struct SecureReport: Codable, Equatable, Sendable {
    /// Whether host sockets are handed out only with a guard.
    package var required: Bool
    /// The guard that was asked for: `auto`, `module` or `bpf`.
    package var wanted: String
    /// The guard that works: `module` or `bpf`; absent: none.
    package var `guard`: String?
    /// Why none works, where one is required: no host socket is handed out then.
    package var problem: String?
    /// Guarded sockets that the kernel has.
    package var sockets: Int
    /// What the guard alone does not keep programs from.
    package var holes: [String]
    /// What it does keep programs from on this machine, though not on every one, and how.
    package var closedHoles: [String]

    package init(
        required: Bool, wanted: String, guard: String? = nil, problem: String? = nil, sockets: Int = 0,
        holes: [String] = [], closedHoles: [String] = []
    ) {
        self.required = required
        self.wanted = wanted
        self.guard = `guard`
        self.problem = problem
        self.sockets = sockets
        self.holes = holes
        self.closedHoles = closedHoles
    }

    /// Whether everything is as the operator wants it.
    package var isAsRequired: Bool { !required || self.guard != nil }
}

/// Asks for secure mode: `POST /v1/secure`.
package struct SecureRequest: Codable, Equatable, Sendable {
    /// `auto`, `module` or `bpf`; absent: what `router.json` says.
    package var `guard`: String?

    package init(guard: String? = nil) { self.guard = `guard` }
}
