internal import Glibc
internal import SlimAdmin
internal import SlimSystem

/// The router of one host of a lab.
package struct LabRouter: Sendable {
    let directory: LabDirectory
    let host: LabHost

    /// For what a router does in less than a second: the machine may be busy, or an emulated one.
    private static let patience: Duration = .seconds(60)

    private var configuration: String { directory.routerConfiguration(host.name) }

    /// The processes that are this router: the one that was started and, where that keeps another, the other.
    package var processes: [RunningProcess] {
        guard let inode = LabFile.inode(directory.networkNamespace(of: host.name)) else { return [] }
        return RunningProcess.all(inNamespaces: [inode]).filter { process in
            process.arguments.first?.split(separator: "/").last == "slimrouter"
                && process.arguments.contains(configuration)
        }
    }

    /// The process that serves connections: the youngest in the line of parents and children.
    package var process: RunningProcess? {
        let all = processes
        return all.first { process in all.contains { $0.id == process.parent } } ?? all.first
    }

    /// The process that holds what must survive the router.
    package var keeper: RunningProcess? {
        guard let inode = LabFile.inode(directory.networkNamespace(of: host.name)) else { return nil }
        let socket = "\(directory.routerDirectory(host.name))/keeper.sock"
        return RunningProcess.all(inNamespaces: [inode]).first { $0.arguments.contains(socket) }
    }

    /// Starts the router and returns at once; one that runs stays.
    ///
    /// - Returns: the process to watch until the router answers; `nil` when it was running.
    func launch(_ binaries: LabBinaries) throws(LabError) -> Int32? {
        if process != nil { return nil }
        let log = try LabFile.open(directory.routerLog(host.name), O_WRONLY | O_CREAT | O_APPEND)
        let nothing = try LabFile.open("/dev/null", O_RDONLY)
        var program = LabProgram(
            [binaries.router, "--config", configuration], environment: Lab.environment(library: nil), directory: "/",
            node: host.name)
        program.input = nothing.raw
        program.output = log.raw
        program.error = log.raw
        return try program.spawn(in: directory, detached: true)
    }

    /// Waits until the router answers.
    ///
    /// - Parameter id: the process that was started; its end ends the waiting.
    func waitUntilReady(_ id: Int32?) async throws(LabError) {
        let client = AdminClient(socketPath: directory.adminSocket(host.name))
        let start = ContinuousClock.now
        while true {
            if (try? await client.status()) != nil { return }
            if let id, RunningProcess(id: id) == nil {
                throw LabError(.router, "\(host.name): the router ended: \(lastWords())")
            }
            guard ContinuousClock.now - start < Self.patience else {
                throw LabError(.router, "\(host.name): the router does not answer on its admin socket: \(lastWords())")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Makes the host's containers known to its router; those that it knows stay as they are.
    func attachContainers() async throws(LabError) {
        let client = AdminClient(socketPath: directory.adminSocket(host.name))
        do {
            let known = Set(try await client.containers().map(\.name))
            for container in host.containers where !known.contains(container.name) {
                let request = AttachRequest(
                    name: container.name, netns: directory.networkNamespace(of: container.name),
                    labels: ["lab": directory.name, "host": host.name, "name": container.name], ipv4: container.ipv4,
                    ipv6: container.ipv6)
                _ = try await client.attach(request)
            }
        } catch {
            throw LabError(.router, "\(host.name): the router does not take its containers: \(error)")
        }
    }

    /// Waits until the router has connections to all the other hosts.
    func waitUntilConnected(to count: Int) async throws(LabError) {
        let client = AdminClient(socketPath: directory.adminSocket(host.name))
        let start = ContinuousClock.now
        while true {
            let hosts = (try? await client.hosts()) ?? []
            if hosts.filter(\.connected).count >= count { return }
            guard ContinuousClock.now - start < Self.patience else {
                let missing = hosts.filter { !$0.connected }.map { "\($0.name) (\($0.reason ?? "no reason known"))" }
                throw LabError(
                    .router,
                    "\(host.name): the router is not connected to \(missing.joined(separator: ", ")); see \(directory.routerLog(host.name))"
                )
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Asks the router to end, and ends it when it has not after ten seconds. One that does not run is no error.
    package func stop() async throws(LabError) {
        let all = processes
        // The eldest ends the others.
        for process in all where !all.contains(where: { $0.id == process.parent }) { Glibc.kill(process.id, SIGTERM) }
        let start = ContinuousClock.now
        while !all.allSatisfy(\.hasEnded) || !processes.isEmpty {
            if ContinuousClock.now - start > .seconds(10) {
                for process in processes { Glibc.kill(process.id, SIGKILL) }
                throw LabError(
                    .router,
                    "\(host.name): the router did not end within 10 seconds and was killed; see \(directory.routerLog(host.name))"
                )
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Ends the router's process on the spot (SIGKILL) and returns when it is gone.
    package func kill() async throws(LabError) {
        guard let process else { throw LabError(.state, "\(host.name): the router does not run") }
        Glibc.kill(process.id, SIGKILL)
        while !process.hasEnded { try? await Task.sleep(for: .milliseconds(5)) }
    }

    /// The end of the log in one line.
    private func lastWords() -> String {
        let path = directory.routerLog(host.name)
        let content = (try? LabFile.read(path)) ?? []
        let lines = String(decoding: content.suffix(2000), as: UTF8.self).split(separator: "\n").suffix(3)
        return lines.isEmpty ? "\(path) is empty" : "\(path) ends: \(lines.joined(separator: " / "))"
    }
}
