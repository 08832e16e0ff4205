import SlimAdmin
import Synchronization

/// A router that only remembers what it is told.
final class FakeRouter: AdminBackend {
    let attached = Mutex<[String: ContainerReport]>([:])

    func status() -> StatusReport {
        StatusReport(
            name: "h1", version: "1", pid: 7, uptimeSeconds: 60, underlay: "192.0.2.1", subnets: ["10.32.1.0/24"],
            directory: "/run/slim",
            counts: ["connections": 3, "refused": 1], peersConnected: 1, peersKnown: 2)
    }

    func hosts() -> [HostReport] {
        [HostReport(name: "h2", address: "192.0.2.2", subnets: ["10.32.2.0/24"], connected: false, reason: "refused")]
    }

    func containers() -> [ContainerReport] { attached.withLock { $0.values.sorted { $0.name < $1.name } } }

    func listeners() -> [ListenerReport] { [ListenerReport(container: "c1", address: "10.32.1.2:80", accepted: 5)] }

    func connections() throws -> [ConnectionReport] { throw Unforeseen() }

    func attach(_ request: AttachRequest) throws -> ContainerReport {
        try attached.withLock { attached in
            guard attached[request.name] == nil else {
                throw AdminError(.conflict, "\(request.name): is attached already")
            }
            let report = ContainerReport(
                name: request.name, ipv4: request.ipv4 ?? "10.32.1.2", ipv6: request.ipv6, netns: request.netns,
                labels: request.labels)
            attached[request.name] = report
            return report
        }
    }

    func detach(_ name: String) throws {
        try attached.withLock { attached in
            guard attached.removeValue(forKey: name) != nil else { throw AdminError(.notFound, "no container \(name)") }
        }
    }

    func relabel(_ name: String, _ request: RelabelRequest) throws -> ContainerReport {
        try attached.withLock { attached in
            guard var report = attached[name] else { throw AdminError(.notFound, "no container \(name)") }
            report.labels = request.apply(to: report.labels)
            attached[name] = report
            return report
        }
    }

    func secureMode() -> SecureReport { SecureReport(required: true, wanted: "auto", guard: "bpf", sockets: 7) }

    func enableSecureMode(_ request: SecureRequest) throws -> SecureReport {
        guard request.guard != "module" else { throw AdminError(.unavailable, "no module") }
        return secureMode()
    }

    func disableSecureMode() -> SecureReport { SecureReport(required: false, wanted: "auto") }

    func policy() -> PolicyReport { PolicyReport(file: "/etc/slim/policy.json", since: 7, rules: 1, text: "{}") }

    func reloadPolicy(_ request: PolicyRequest) throws -> ReloadReport {
        guard let file = request.file else { throw AdminError(.badRequest, "no policy is configured") }
        return ReloadReport(
            file: file, rules: 1, isChanged: true, connectionsKept: 2, connectionsCut: 3,
            inForceMilliseconds: 3.5, milliseconds: 4.5)
    }

    func diffPolicy(_ request: PolicyRequest) -> PolicyDiffReport {
        PolicyDiffReport(
            changes: [.init(part: "rules", name: "a", before: nil, after: "{}")], connectionsKept: 1, cut: [])
    }

    func explain(_ request: ExplainRequest) -> ExplainReport {
        let verdict = ExplainReport.Verdict(direction: "egress", host: "h1", verdict: "allow", reason: "default")
        return ExplainReport(from: request.from, to: request.to, isAllowed: true, verdicts: [verdict])
    }

    struct Unforeseen: Error, CustomStringConvertible { var description: String { "unforeseen" } }
}
