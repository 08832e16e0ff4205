import SlimAdmin
import SlimLab
import Testing

/// Where a server is, seen from the client in `h1c1`.
enum Placement: String, CaseIterable, CustomTestStringConvertible {
    case acrossHosts = "h2c1"
    case onOneHost = "h1c2"
    case inOneContainer = "h1c1"

    static let client = "h1c1"
    var server: String { rawValue }

    var testDescription: String {
        switch self {
        case .acrossHosts: "across hosts"
        case .onOneHost: "on one host"
        case .inOneContainer: "in one container"
        }
    }
}

/// What happened on the first host while something ran: which way connections and bytes went.
struct PathReport {
    let handedOver: Int
    let byOverlay: Int
    let vxlanBytes: Int
}

extension Fixture {
    /// Runs something and tells which way its connections went, as the first host's router and kernel counted.
    func path(during body: () async throws -> Void) async throws -> PathReport {
        let before = try await pathCounts()
        try await body()
        let after = try await pathCounts()
        return PathReport(
            handedOver: after.handedOver - before.handedOver, byOverlay: after.byOverlay - before.byOverlay,
            vxlanBytes: after.vxlanBytes - before.vxlanBytes)
    }

    /// Runs something that must make connections on host sockets, and none on the packet overlay.
    ///
    /// - Parameters:
    ///   - connections: how many are expected at least.
    ///   - bytes: how many the programs exchange at least; so many must not cross the VXLAN device.
    func expectFastPath(
        connections: Int = 1, bytes: Int = 0, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws {
        let report = try await path(during: body)
        #expect(report.handedOver >= connections, "connections on host sockets", sourceLocation: sourceLocation)
        #expect(report.byOverlay == 0, "connections on the packet overlay", sourceLocation: sourceLocation)
        // The first packets between two hosts and what the containers' kernels say to each other.
        #expect(
            report.vxlanBytes < max(50_000, bytes / 20), "bytes on the VXLAN device", sourceLocation: sourceLocation)
    }

    private func pathCounts() async throws -> PathReport {
        let record = try #require(lab.record.hosts.first)
        let client = AdminClient(socketPath: lab.directory.adminSocket(record.name))
        let counts = try await client.status().counts
        return PathReport(
            handedOver: Int(counts["connectsHandedOver"] ?? 0), byOverlay: Int(counts["connectsByOverlay"] ?? 0),
            vxlanBytes: Int(try vxlanBytes()))
    }

    /// The path of a file that the tests come with.
    static func helper(_ name: String) -> String { "\(project)/Tests/IntegrationTests/Programs/Helpers/\(name)" }
}
