internal import FoundationEssentials
internal import Glibc

/// A lab that is up: several hosts and their containers on one machine, in network namespaces.
package struct Lab: Sendable {
    package let directory: LabDirectory
    package let record: LabRecord

    init(directory: LabDirectory, record: LabRecord) {
        self.directory = directory
        self.record = record
    }

    /// Finds a lab that is up.
    ///
    /// - Throws: ``LabError`` with `.state` when there is none of this name.
    package init(_ name: String = LabDirectory.defaultName) throws(LabError) {
        let directory = try LabDirectory(name)
        let hint = name == LabDirectory.defaultName ? "" : " --name \(name)"
        guard let record = try Self.readRecord(directory) else {
            throw LabError(.state, "lab \(name) is not up; bring it up with `slimctl lab up\(hint)`")
        }
        guard record.ready else {
            throw LabError(
                .state,
                "lab \(name) is half set up; `slimctl lab up\(hint)` starts again, `slimctl lab down\(hint)` removes it"
            )
        }
        self.init(directory: directory, record: record)
    }

    /// - Returns: `nil` when there is no record.
    static func readRecord(_ directory: LabDirectory) throws(LabError) -> LabRecord? {
        guard LabFile.exists(directory.recordPath) else { return nil }
        do {
            return try JSONDecoder().decode(LabRecord.self, from: Data(try LabFile.read(directory.recordPath)))
        } catch {
            throw LabError(
                .state,
                "\(directory.recordPath): cannot be read as a lab's record (\(error)); `slimctl lab down --name \(directory.name)` removes the lab"
            )
        }
    }

    func writeRecord() throws(LabError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let content = try? encoder.encode(record) else {
            throw LabError(.state, "\(directory.recordPath): the record of the lab cannot be encoded")
        }
        try LabFile.write(Array(content), to: directory.recordPath)
    }

    package func host(_ name: String) throws(LabError) -> LabHost {
        guard let host = record.hosts.first(where: { $0.name == name }) else {
            throw unknown(name, "host", record.hosts.map(\.name))
        }
        return host
    }

    package func container(_ name: String) throws(LabError) -> LabContainer {
        let containers = record.hosts.flatMap(\.containers)
        guard let container = containers.first(where: { $0.name == name }) else {
            throw unknown(name, "container", containers.map(\.name))
        }
        return container
    }

    /// The address of a host in the underlay, or of a container in the overlay.
    package func address(of node: String, v6: Bool = false) throws(LabError) -> String {
        if let host = record.hosts.first(where: { $0.name == node }) { return v6 ? host.address6 : host.address }
        let containers = record.hosts.flatMap(\.containers)
        guard let container = containers.first(where: { $0.name == node }) else {
            throw unknown(node, "host or container", record.hosts.map(\.name) + containers.map(\.name))
        }
        return v6 ? container.ipv6 : container.ipv4
    }

    private func unknown(_ name: String, _ kind: String, _ known: [String]) -> LabError {
        let shown = known.prefix(8).joined(separator: ", ") + (known.count > 8 ? ", ..." : "")
        return LabError(
            .usage,
            "lab \(record.name) has no \(kind) \(name.debugDescription); it has \(known.isEmpty ? "none" : shown)")
    }

    /// The network namespace file of a host or container, for `ip netns` and for the router.
    package func networkNamespace(of node: String) -> String { directory.networkNamespace(of: node) }
}
