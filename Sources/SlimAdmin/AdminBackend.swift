/// What the admin API asks of a router. Any error but ``AdminError`` becomes an internal error.
package protocol AdminBackend: Sendable {
    func status() async throws -> StatusReport
    func hosts() async throws -> [HostReport]
    func containers() async throws -> [ContainerReport]
    func listeners() async throws -> [ListenerReport]
    func connections() async throws -> [ConnectionReport]
    /// Gives a network namespace addresses and serves it from now on.
    ///
    /// The same request again answers what is; the server has checked ``AttachRequest/validate()``.
    func attach(_ request: AttachRequest) async throws -> ContainerReport
    /// Takes a container back. Its live connections are left alone.
    func detach(_ name: String) async throws
    /// Gives a container other labels; what the policy then forbids is cut.
    func relabel(_ name: String, _ request: RelabelRequest) async throws -> ContainerReport
    func secureMode() async throws -> SecureReport
    /// Has sockets guarded from now on; while no guard works none is handed out.
    func enableSecureMode(_ request: SecureRequest) async throws -> SecureReport
    func disableSecureMode() async throws -> SecureReport
    func policy() async throws -> PolicyReport
    /// Takes a policy into force, or leaves everything as it is.
    func reloadPolicy(_ request: PolicyRequest) async throws -> ReloadReport
    func diffPolicy(_ request: PolicyRequest) async throws -> PolicyDiffReport
    func explain(_ request: ExplainRequest) async throws -> ExplainReport
}
