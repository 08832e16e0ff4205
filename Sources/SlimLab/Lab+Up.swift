internal import CSlimSystem
internal import Glibc
internal import SlimSystem
internal import SystemPackage

extension Lab {
    /// Brings a lab up; ready when it returns.
    ///
    /// A lab of the same name and shape that is up stays, and gets back what it lacks; what a crash has left is removed first.
    /// - Parameter progress: told what is being done, one line at a time.
    /// - Throws: ``LabError``; what was set up is removed again.
    package static func up(
        _ directory: LabDirectory, _ shape: LabShape, _ binaries: LabBinaries, progress: (String) -> Void = { _ in }
    ) async throws(LabError) -> Lab {
        try checkPlace(directory)
        let lock = try LabLock(directory)
        defer { withExtendedLifetime(lock) {} }
        if let record = (try? readRecord(directory)) ?? nil, record.ready, isComplete(record, directory) {
            guard record.hosts == shape.record(name: directory.name).hosts, record.isSecure == shape.isSecure,
                record.hasPolicy == shape.hasPolicy
            else {
                throw LabError(
                    .state,
                    "lab \(directory.name) is up with \(record.shape), not with \(shape); end it with `slimctl lab down --name \(directory.name)`, or choose another --name"
                )
            }
            progress("is up already")
            let lab = Lab(directory: directory, record: record)
            try await lab.startRouters(binaries)
            return lab
        }
        try await remove(directory)
        var lab = Lab(directory: directory, record: shape.record(name: directory.name))
        do throws(LabError) {
            try await lab.build(binaries, progress)
            lab = try lab.markedReady()
        } catch {
            progress("failed; removing what was set up")
            _ = try? await remove(directory)
            throw error
        }
        return lab
    }

    private func build(_ binaries: LabBinaries, _ progress: (String) -> Void) async throws(LabError) {
        progress("namespaces and underlay of \(record.hosts.count) hosts")
        try makeDirectories()
        try makeNodes()
        progress("certificates")
        try writeConfigurations()
        progress("routers and \(record.hosts.map(\.containers.count).reduce(0, +)) containers")
        try await startRouters(binaries)
    }

    private func makeDirectories() throws(LabError) {
        try LabFile.makeDirectory(LabDirectory.root)
        try LabFile.makeDirectory(LabDirectory.namespaces)
        try LabFile.makeDirectory(directory.path)
        do throws(Errno) {
            let path = directory.path
            try systemCall { slim_lab_mount_private_tmpfs(path) }
        } catch {
            throw LabError("mount a tmpfs", directory.path, error)
        }
        try LabFile.makeDirectory(directory.keptNamespaces)
        try writeRecord()
        try LabFile.write(Array(hostsFile.utf8), to: directory.hostsFilePath)
    }

    private func makeNodes() throws(LabError) {
        let underlay = UnderlayNetwork(directory: directory)
        try NodeNamespaces.make(LabDirectory.underlayNode, in: directory, isContainer: false)
        try underlay.establish()
        for host in record.hosts {
            try NodeNamespaces.make(host.name, in: directory, isContainer: false)
            try underlay.connect(host)
            for container in host.containers {
                try NodeNamespaces.make(container.name, in: directory, isContainer: true)
            }
        }
    }

    private func markedReady() throws(LabError) -> Lab {
        var record = record
        record.ready = true
        let lab = Lab(directory: directory, record: record)
        try lab.writeRecord()
        return lab
    }

    /// Names stand for IPv4 addresses, since many servers listen on nothing else; `NAME-v6` for the IPv6 ones.
    private var hostsFile: String {
        var lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
        for host in record.hosts {
            lines += ["\(host.address) \(host.name)", "\(host.address6) \(host.name)-v6"]
            for container in host.containers {
                lines += ["\(container.ipv4) \(container.name)", "\(container.ipv6) \(container.name)-v6"]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether every namespace of a lab is still there.
    private static func isComplete(_ record: LabRecord, _ directory: LabDirectory) -> Bool {
        let nodes = [LabDirectory.underlayNode] + record.hosts.flatMap { [$0.name] + $0.containers.map(\.name) }
        let mounts = Set(Mount.all().map(\.path))
        return nodes.allSatisfy { mounts.contains(directory.networkNamespace(of: $0)) }
    }
}
