internal import SlimAdmin
internal import SlimLab

extension LabStatus {
    /// Hosts with their containers below them.
    var table: TextTable {
        let rows = hosts.flatMap { host in
            [[host.name, host.address, "", host.routerPID.map { "\($0)" } ?? "not running"]]
                + host.containers.map { ["  " + $0.name, $0.ipv4, $0.ipv6, ""] }
        }
        return TextTable(
            columns: [.init("NAME"), .init("ADDRESS"), .init("IPV6"), .init("ROUTER PID")], rows: rows)
    }
}
