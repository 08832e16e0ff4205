internal import CSlimSystem
internal import Glibc
internal import SlimGuard

extension Lab {
    /// Removes a lab, and what is left of one after a crash: its processes, namespaces, mounts and files.
    ///
    /// - Returns: whether there was anything to remove.
    @discardableResult
    package static func down(_ directory: LabDirectory) async throws(LabError) -> Bool {
        try checkPlace(directory)
        let lock = try LabLock(directory)
        let wasThere = try await remove(directory)
        lock.remove()
        return wasThere
    }

    /// The names of all labs that are up, or half up.
    package static func names() -> [String] {
        LabFile.names(in: LabDirectory.root).filter { LabFile.exists("\(LabDirectory.root)/\($0)/lab.json") }
    }

    /// Removes whatever carries the lab's name. The caller holds the lock.
    @discardableResult
    static func remove(_ directory: LabDirectory) async throws(LabError) -> Bool {
        let networks = directory.namespaceFiles
        let others = LabFile.names(in: directory.keptNamespaces).map { "\(directory.keptNamespaces)/\($0)" }
        let wasThere = !networks.isEmpty || LabFile.exists(directory.path)
        try await endProcesses(in: networks + others, of: directory)
        for path in networks + others {
            slim_lab_detach(path)
            unlink(path)
        }
        // Once for each time that it was mounted: a crash may have left several.
        while slim_lab_detach(directory.path) == 0 {}
        ControlGroup.removeAll(below: directory.path)
        if rmdir(directory.path) == -1, errno != ENOENT {
            throw LabError(
                .state,
                "\(directory.path): cannot be removed: it is not empty, or in use; look what is in it and remove it")
        }
        return wasThere
    }

    /// Whether this program may bring labs up and down.
    static func checkPlace(_ directory: LabDirectory) throws(LabError) {
        guard geteuid() == 0 else {
            throw LabError(
                .machine, "lab \(directory.name): labs need network namespaces, and these need root; run it as root")
        }
        guard !Mount.areOfLabContainer else { throw inside(directory) }
    }

    private static func inside(_ directory: LabDirectory) -> LabError {
        LabError(.usage, "lab \(directory.name): this program runs inside a lab; run it outside")
    }

    /// Ends every process in the lab's namespaces: asked first, killed after two seconds.
    private static func endProcesses(in paths: [String], of directory: LabDirectory) async throws(LabError) {
        // A file that a crash has left unmounted is an ordinary file: its number means nothing.
        let mounted = Set(Mount.all().filter { $0.type == "nsfs" }.map(\.path))
        let inodes = Set(paths.filter(mounted.contains).compactMap(LabFile.inode))
        guard !inodes.isEmpty else { return }
        let ownID = getpid()
        guard !RunningProcess.all(inNamespaces: inodes).contains(where: { $0.id == ownID }) else {
            throw inside(directory)
        }
        let start = ContinuousClock.now
        var asked: Set<pid_t> = []
        var seen: Set<RunningProcess> = []
        while true {
            let processes = RunningProcess.all(inNamespaces: inodes)
            seen.formUnion(processes)
            if seen.allSatisfy(\.hasEnded) { return }
            let elapsed = ContinuousClock.now - start
            guard elapsed < .seconds(12) else {
                let left = seen.filter { !$0.hasEnded }.map { "\($0.id) (\($0.arguments.first ?? "?"))" }.joined(
                    separator: ", ")
                throw LabError(.state, "lab \(directory.name): cannot end the processes \(left)")
            }
            for process in processes {
                if elapsed > .seconds(2) {
                    kill(process.id, SIGKILL)
                } else if asked.insert(process.id).inserted {
                    kill(process.id, SIGTERM)
                    // A stopped process takes no notice until it goes on.
                    kill(process.id, SIGCONT)
                }
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
